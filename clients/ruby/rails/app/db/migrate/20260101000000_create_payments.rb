class CreatePayments < ActiveRecord::Migration[6.1]
  def change
    create_table :transactions do |t|
      t.string :transfer_id, null: false
      t.integer :amount_cents, null: false
      t.integer :status, null: false, default: 0
      t.timestamps
    end

    # This app has part of what the adapter needs.
    create_table :eft_transactions do |t|
      t.string :transfer_id, null: false, index: { unique: true }
      t.integer :amount_cents, null: false
      t.string :status, null: false
      t.string :failure_code
      t.integer :lock_version, null: false, default: 0
      t.timestamps
    end

    create_table :seen_events do |t|
      t.string :webhook_id, null: false
      t.string :event_type, null: false
    end

    create_table :delayed_jobs do |t|
      t.integer :priority, :attempts, default: 0, null: false
      t.text :handler, null: false
      t.text :last_error
      t.datetime :run_at, :locked_at, :failed_at
      t.string :locked_by, :queue
      t.timestamps null: true
    end
  end
end
