# frozen_string_literal: true

RSpec.describe EcheckReturns::Client, "imports" do
  include Servers

  it "sends a file in chunks, reports the bytes, and then the states" do
    server.answer(:import_file) do
      Echeck::Returns::V1::ImportFileResponse.new(file_import: { import_id: "imp_1", state: :IMPORT_STATE_CHECKING })
    end
    server.add_import(import_id: "imp_1", state: :deciding)
    seen = []
    result = client.import_file(StringIO.new("x" * 600_000), source: "worldpay", file_name: "r.csv") do |progress|
      seen << [progress.bytes_sent, progress.import&.state]
      server.add_import(import_id: "imp_1", state: :applied) if seen.last.last == :deciding
    end
    expect(seen).to eq [[262_144, nil], [524_288, nil], [600_000, nil],
                        [600_000, :checking], [600_000, :deciding], [600_000, :applied]]
    expect(result.import).to be_applied
    expect(result.duplicate_file?).to be false
    expect(server.files).to be_empty
  end

  it "sends the bytes as they are, with a request_id" do
    bytes = Random.bytes(700_001)
    Tempfile.create("returns", binmode: true) do |file|
      file.write("skipped", bytes)
      file.flush
      file.seek(7)
      client.import_file(file, source: "worldpay")
      expect(server.files).to eq [bytes]
      header = server.calls(:import_file).last.request.header
      expect(header).to have_attributes(source: "worldpay", file_name: File.basename(file.path), dry_run: false)
      expect(header.request_id).to match(/\A\h{8}-/)
    end
  end

  it "takes a Pathname, and an upload of Rails" do
    Tempfile.create("returns") do |file|
      file.write("a file")
      file.flush
      client.import_file(Pathname(file.path), source: "worldpay")
      file.rewind
      upload = Struct.new(:file, :original_filename) do
        def read(*arguments)
          file.read(*arguments)
        end
      end
      client.import_file(upload.new(file, "monday.csv"), source: "worldpay")
    end
    expect(server.files).to eq ["a file", "a file"]
    expect(server.calls(:import_file).last.request.header.file_name).to eq "monday.csv"
  end

  it "sends an empty file" do
    expect(client.import_file(StringIO.new, source: "worldpay", file_name: "r.csv").import.size_bytes).to eq 0
  end

  it "says that a file was imported before" do
    2.times { @result = client.import_file(StringIO.new("same"), source: "worldpay", file_name: "r.csv") }
    expect(@result.duplicate_file?).to be true
  end

  it "previews, and waits only as long as it is told to" do
    expect(client.import_file(StringIO.new("a"), source: "s", file_name: "r", dry_run: true).import.state).to eq :dry_run
    client.import_file(StringIO.new("b"), source: "s", file_name: "r", wait: nil)
    expect(server.calls(:watch_import)).to be_empty
    expect { client.import_file(StringIO.new("c"), source: "s", file_name: "r", wait: :done) }
      .to raise_error(ArgumentError, /:applied, :decided or nil/)
  end

  it "sends the whole file again when the service was cut off, with the same request_id" do
    server.fail(:import_file, :unavailable, times: 2)
    client.import_file(StringIO.new("x" * 300_000), source: "worldpay", file_name: "r.csv")
    expect(server.files.map(&:size)).to eq [300_000]
    ids = server.calls(:import_file).map { |call| call.request.header.request_id }
    expect(ids.size).to eq 3
    expect(ids.uniq.size).to eq 1
  end

  it "does not send half of what cannot be read again" do
    server.fail(:import_file, :unavailable)
    reader, writer = IO.pipe
    writer.write("from a pipe")
    writer.close
    expect { client.import_file(reader, source: "worldpay", file_name: "r.csv") }
      .to raise_error(EcheckReturns::Unavailable)
    expect(server.calls(:import_file).size).to eq 1
  end

  it "lets an error of the file or of the block through" do
    broken = StringIO.new("x")
    def broken.read(*)
      raise IOError, "the disk is gone"
    end
    expect { client.import_file(broken, source: "s", file_name: "r") }.to raise_error(IOError, "the disk is gone")
    expect { client.import_file(StringIO.new("x"), source: "s", file_name: "r") { raise "stop" } }
      .to raise_error(RuntimeError, "stop")
  end

  it "names what is missing" do
    expect { client.import_file(StringIO.new, source: "s") }.to raise_error(ArgumentError, /file_name is required/)
    expect { client.import_file("r.csv", source: "s") }.to raise_error(ArgumentError, /not a String/)
  end

  it "watches an import through a cut connection, and yields each change once" do
    server.add_import(import_id: "imp_1", state: :checking)
    changes = Thread.new do
      eventually("the first watch") { server.calls(:watch_import).size == 1 }
      server.cut_streams
      eventually("the second watch") { server.calls(:watch_import).size == 2 }
      server.add_import(import_id: "imp_1", state: :applied)
    end
    expect(client.watch_import("imp_1").map(&:state)).to eq %i[checking applied]
    changes.join
  end

  it "gives an enumerator without a block" do
    server.add_import(import_id: "imp_1", state: :rejected)
    expect(client.watch_import("imp_1").map(&:state)).to eq [:rejected]
  end

  it "stops watching at the deadline, and says what is not there" do
    server.add_import(import_id: "imp_1", state: :deciding)
    expect { client.watch_import("imp_1", timeout: 0.3) { nil } }.to raise_error(EcheckReturns::DeadlineExceeded)
    expect { client.watch_import("imp_2") { nil } }.to raise_error(EcheckReturns::NotFound)
  end
end
