# frozen_string_literal: true

require "rbconfig"
require "grpc"
require "echeck_returns/relay_frames"

module EcheckReturns
  # Calls through a helper process, for a process in which gRPC itself cannot be used.
  #
  # gRPC refuses to work in a child of a process that used it before the fork, such as a Puma worker
  # whose master made a call while it preloaded the app. The helper (relay.rb) is a fresh Ruby
  # process. Each call has a socket of its own to it. When this process ends, so does the helper.
  # @api private
  class RelayTransport
    # One call in the helper.
    class Call
      def initialize(socket, descriptor)
        @socket = socket
        @type = descriptor.server_streamer? ? descriptor.output.type : descriptor.output
      end

      def send(kind, value = nil)
        RelayFrames.write(@socket, kind, value)
      rescue IOError, SystemCallError
        # The call has ended early; its status is what comes next.
        nil
      end

      # @return [Google::Protobuf::MessageExts] the next answer
      # @raise [StopIteration] at the end
      # @raise [GRPC::BadStatus]
      def next
        kind, value = RelayFrames.read(@socket)
        case kind
        when :answer then @type.decode(value)
        when :done then raise StopIteration
        when :status then raise GRPC::BadStatus.new_status_exception(*value)
        else
          raise GRPC::Cancelled, "the call was canceled" if @canceled

          raise GRPC::Unavailable, "the helper process has ended"
        end
      end

      def cancel
        @canceled = true
        @socket.shutdown
      rescue IOError, SystemCallError
        nil
      end

      def close
        @socket.close
      end
    end

    # @return [Integer] the process of the helper
    attr_reader :pid

    HELPER = File.expand_path("relay.rb", __dir__)
    private_constant :HELPER

    def initialize(settings)
      @settings = settings
      @lock = Mutex.new
      start
    end

    def unary(rpc, request, deadline:, metadata:)
      call = open(rpc, deadline, metadata)
      (request.respond_to?(:each) ? request : [request]).each { |one| call.send(:request, one.to_proto) }
      call.send(:requests_end)
      call.next
    ensure
      call&.close
    end

    def stream(rpc, request, deadline:, metadata:)
      call = open(rpc, deadline, metadata)
      call.send(:request, request.to_proto)
      call.send(:requests_end)
      call
    end

    def close
      @control.close
    end

    private

    # Without RubyGems and Bundler the helper starts at once, with the very files that are in use here.
    def start
      @control, theirs = UNIXSocket.pair
      command = [RbConfig.ruby, "--disable-gems", "-I", $LOAD_PATH.join(":"), HELPER]
      @pid = Process.spawn({ "RUBYOPT" => nil }, *command, in: theirs, close_others: true)
      Process.detach(@pid)
      theirs.close
    end

    # A helper that was killed is replaced at the next call.
    def hand_over(socket)
      @lock.synchronize do
        @control.send_io(socket)
      rescue SystemCallError
        start
        @control.send_io(socket)
      end
    end

    def open(rpc, deadline, metadata)
      ours, theirs = UNIXSocket.pair
      hand_over(theirs)
      theirs.close
      call = Call.new(ours, RelayFrames.descriptor(rpc))
      call.send(:open, [@settings, rpc, deadline, metadata])
      call
    rescue IOError, SystemCallError => e
      raise GRPC::Unavailable, "the helper process cannot be started (#{e.class})"
    end
  end
end
