# frozen_string_literal: true

RSpec.describe "docs/rails.md" do
  document = File.read("#{Suite::REPOSITORY}/docs/rails.md")
  session = document[/<!-- session -->\s+```ruby\n(.*?)```/m, 1]

  # The id of something that this run created, whatever it is.
  def general(text)
    text.gsub(/\b(ret_|TR)\h{12,}/, '\1…')
  end

  it "has a session that gives what it says" do
    app = Proof.apps[:postgres]
    FileUtils.cp(Proof.file("friday", "TR5" => "R01"), File.join(app.folder, "returns.csv"))
    path = File.join(app.folder, "tmp/session.rb")
    File.write(path, session)
    given = app.runner("console", path)
    expected = session.scan(/# (=> .*|raises \S+)$/).flatten
    expect(expected.size).to be > 15
    expect(given.map { |one| general(one) }).to eq expected
  end
end
