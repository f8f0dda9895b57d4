# frozen_string_literal: true

RSpec.describe EcheckReturns::Connection do
  include Servers

  def seconds
    begun = EcheckReturns::Clock.now
    yield
    EcheckReturns::Clock.now - begun
  end

  it "says that nobody listens" do
    away = client_for(nobody)
    expect { away.transfer("TR1") }.to raise_error(EcheckReturns::Unavailable, /get_transfer: .*connect/)
  end

  it "finds a service that comes back" do
    port = Integer(nobody[/\d+\z/])
    attempts = Queue.new
    EcheckReturns.configure do |c|
      c.address = "http://127.0.0.1:#{port}"
      c.max_attempts = 50
      c.token = -> { "token".tap { attempts << true } }
    end
    thread = Thread.new { EcheckReturns.transfer("TR1").id }
    3.times { attempts.pop }
    start(port: port).add_transfer(id: "TR1")
    expect(thread.value).to eq "TR1"
  end

  it "does not wait for a server that takes connections and says nothing" do
    silent = TCPServer.new("127.0.0.1", 0)
    client = client_for("http://127.0.0.1:#{silent.addr[1]}", timeout: 0.4)
    took = seconds { expect(error_of { client.transfer("TR1") }).to be_a(EcheckReturns::CallError) }
    expect(took).to be < 10
  ensure
    silent.close
  end

  it "does not wait for a call that hangs, and does not repeat it" do
    server.hang(:get_transfer)
    hasty = client_for(server, timeout: 0.3)
    took = seconds { expect { hasty.transfer("TR1") }.to raise_error(EcheckReturns::DeadlineExceeded) }
    expect(took).to be_between(0.2, 10)
    expect(server.calls(:get_transfer).size).to eq 1
  end

  it "does not make a call whose deadline has passed" do
    expect { client_for(server, timeout: 0.000_001).transfer("TR1") }.to raise_error(EcheckReturns::DeadlineExceeded)
  end

  it "says that something else answers at the address" do
    web = TCPServer.new("127.0.0.1", 0)
    thread = Thread.new do
      loop { web.accept.tap { |socket| socket.write("HTTP/1.1 404 Not Found\r\n\r\n") }.close }
    end
    client = client_for("http://127.0.0.1:#{web.addr[1]}", timeout: 1)
    expect(error_of { client.transfer("TR1") }).to be_a(EcheckReturns::CallError)
  ensure
    thread.kill
    web.close
  end

  describe "with TLS" do
    let(:authority) { Authority.new("the CA") }
    let(:folder) { Dir.mktmpdir }

    after { FileUtils.rm_rf(folder) }

    def file(name, text)
      File.join(folder, name).tap { |path| File.write(path, text) }
    end

    it "shows its certificate, and checks that of the service" do
      server = start(tls: authority.issue("returns").merge(ca: authority.pem))
      server.add_transfer(id: "TR1")
      own = authority.issue("rails")
      client = client_for(server, ca_file: file("ca", authority.pem), cert_file: file("cert", own[:cert]),
                                  key_file: file("key", own[:key]))
      expect(client.transfer("TR1").id).to eq "TR1"
      without = client_for(server, ca_file: file("ca", authority.pem), timeout: 1)
      expect(error_of { without.transfer("TR1") }).to be_a(EcheckReturns::Unavailable)
    end

    it "reads a certificate again that was renewed, and says when it is gone" do
      server = start(tls: authority.issue("returns"))
      server.add_transfer(id: "TR1")
      path = file("ca", Authority.new("the old CA").pem)
      client = client_for(server, ca_file: path, max_attempts: 1)
      expect(error_of { client.transfer("TR1") }).to be_a(EcheckReturns::Unavailable)
      File.write(path, authority.pem)
      expect(client.transfer("TR1").id).to eq "TR1"
      File.delete(path)
      expect { client.transfer("TR1") }.to raise_error(EcheckReturns::ConfigurationError, /No such file/)
    end

    it "connects again after it was closed" do
      server = start(tls: authority.issue("returns"))
      server.add_transfer(id: "TR1")
      client = client_for(server, ca_file: file("ca", authority.pem))
      2.times do
        expect(client.transfer("TR1").id).to eq "TR1"
        client.close
      end
    end

    it "does not talk to a service whose CA it does not know" do
      server = start(tls: authority.issue("returns"), token: "s3cret")
      client = client_for(server, ca_file: file("ca", Authority.new("another CA").pem), token: "s3cret", timeout: 1)
      expect { client.transfer("TR1") }.to raise_error(EcheckReturns::Unavailable, /SSL|handshake|certificate/i)
      expect(server.calls).to be_empty
    end

    it "finds a service whose certificate has another name, if it is told that name" do
      server = start(tls: authority.issue("returns.internal"))
      server.add_transfer(id: "TR1")
      client = client_for(server, ca_file: file("ca", authority.pem), server_name: "returns.internal")
      expect(client.transfer("TR1").id).to eq "TR1"
      wrong = client_for(server, ca_file: file("ca", authority.pem), server_name: "other.internal", timeout: 1)
      expect(error_of { wrong.transfer("TR1") }).to be_a(EcheckReturns::Unavailable)
    end
  end
end
