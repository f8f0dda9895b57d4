# frozen_string_literal: true

# The helper process of RelayTransport. Its standard input is the socket on which it gets one socket
# for each call. It ends when the process that started it does.

require "echeck_returns/grpc_transport"
require "echeck_returns/relay_frames"

module EcheckReturns
  # One call on behalf of another process.
  class Relay
    @transports = {}
    @lock = Mutex.new

    class << self
      def transport(settings)
        @lock.synchronize { @transports[settings] ||= GrpcTransport.new(settings) }
      end

      def run(control)
        loop do
          socket = control.recv_io(UNIXSocket)
          Thread.new { new(socket).serve }
        end
      rescue IOError, SocketError, SystemCallError
        exit!(0)
      end
    end

    def initialize(socket)
      @socket = socket
    end

    def serve
      _, (settings, rpc, deadline, metadata) = RelayFrames.read(@socket)
      descriptor = RelayFrames.descriptor(rpc)
      streams = descriptor.client_streamer?
      type = streams ? descriptor.input.type : descriptor.input
      requests = Enumerator.new { |out| each_request(type) { |one| out << one } }
      request = streams ? requests : requests.first
      options = { deadline: deadline, metadata: metadata }
      transport = self.class.transport(settings)
      if descriptor.server_streamer?
        stream(transport.stream(rpc, request, **options))
      else
        write(:answer, transport.unary(rpc, request, **options).to_proto)
      end
    rescue GRPC::BadStatus => e
      write(:status, [e.code, e.details, e.metadata])
    rescue StandardError => e
      write(:status, [GRPC::Core::StatusCodes::UNKNOWN, "#{e.class} in the helper process", {}])
    ensure
      @socket.close
    end

    private

    def each_request(type)
      while (frame = RelayFrames.read(@socket))
        return if frame.first == :requests_end

        yield type.decode(frame.last)
      end
      raise GRPC::Cancelled, "the caller is gone"
    end

    def stream(answers)
      # The caller closes its end to cancel.
      Thread.new do
        nil while RelayFrames.read(@socket)
        answers.cancel
      end
      loop { write(:answer, answers.next.to_proto) }
      write(:done)
    end

    def write(kind, value = nil)
      RelayFrames.write(@socket, kind, value)
    rescue IOError, SystemCallError
      Thread.exit
    end
  end
end

EcheckReturns::Relay.run(UNIXSocket.for_fd(0))
