# frozen_string_literal: true

require "echeck_returns/error_details"
require "echeck_returns/grpc_transport"
require "echeck_returns/instrumentation"
require "echeck_returns/relay_transport"
require "echeck_returns/retries"
require "echeck_returns/watchdog"

module EcheckReturns
  # Makes calls: with a deadline, repeated where that is safe, through a transport of this process.
  # @api private
  class Connection
    # The process was forked while a stream was read; its other end belongs to the parent.
    class Forked < Error; end

    # @return [Retries]
    attr_reader :retries

    def initialize(configuration, retries: Retries.new(configuration.max_attempts))
      @configuration = configuration
      @retries = retries
      @lock = Mutex.new
    end

    # A call with one answer. The block builds the request of each attempt.
    # @raise [CallError, ProtocolError]
    def call(rpc, timeout: @configuration.timeout, repeatable: true)
      deadline = Clock.now + timeout
      Instrumentation.call(rpc) do |payload|
        retries.run(deadline, repeatable: repeatable) do |attempt|
          payload[:attempts] = attempt
          translate(rpc) { transport.unary(rpc, yield, **options(deadline)) }
        end
      end
    end

    # One attempt at a stream of answers, each of which is yielded. The caller knows how to
    # continue after an error.
    # @param silence [Numeric, nil] after how many seconds without an answer the stream is given up
    # @raise [CallError, ProtocolError, Forked]
    def stream(rpc, request, timeout: nil, silence: nil)
      pid = Process.pid
      Instrumentation.call(rpc) do |payload|
        payload[:messages] = 0
        answers = translate(rpc) do
          transport.stream(rpc, request, **options(timeout && Clock.now + timeout))
        end
        watchdog = silence && Watchdog.new(silence) { answers.cancel }
        begin
          while (message = read(rpc, answers, watchdog))
            payload[:messages] += 1
            yield message
            raise Forked, "the process was forked while it read #{rpc}" if Process.pid != pid
          end
        ensure
          watchdog&.stop
          # In a forked process the stream is the parent's, who goes on reading it.
          answers.cancel if Process.pid == pid
        end
      end
    end

    # Closes what this process has open. The next call opens it again.
    def close
      @lock.synchronize do
        @transport&.close if @stamp&.first == Process.pid
        @stamp = @transport = nil
      end
    end

    private

    def read(rpc, answers, watchdog)
      translate(rpc) do
        watchdog ? watchdog.watch { answers.next } : answers.next
      rescue StopIteration
        nil
      end
    rescue Canceled => e
      raise e unless watchdog&.barked?

      raise Unavailable.new("#{rpc}: the service said nothing for #{watchdog.seconds} s",
                            code: :unavailable, rpc: rpc)
    end

    def options(deadline)
      metadata = Instrumentation.trace_headers
      token = @configuration.bearer_token
      metadata["authorization"] = "Bearer #{token}" if token
      # gRPC counts in the time of day.
      { deadline: deadline && Time.now + (deadline - Clock.now), metadata: metadata }
    end

    def translate(rpc)
      yield
    rescue GRPC::BadStatus => e
      raise ErrorDetails.error(e, rpc)
    rescue GRPC::Core::CallError => e
      raise UnknownError.new("#{rpc}: #{e.message}", code: :unknown, rpc: rpc)
    rescue Google::Protobuf::ParseError
      raise ProtocolError, "#{rpc}: the answer cannot be read; is this the returns service?"
    end

    # gRPC does not survive a fork, so each process has a transport of its own. A certificate that was
    # renewed gets a new one too; calls that are under way keep theirs.
    def transport
      @lock.synchronize do
        stamp = [Process.pid, *@configuration.files.map { |path| File.stat(path) }.map { |one| [one.mtime, one.size] }]
        next @transport if @stamp == stamp

        @transport = new_transport
        @stamp = stamp
        @transport
      end
    rescue SystemCallError => e
      raise ConfigurationError, "a file of the configuration cannot be read: #{e.message}"
    end

    def new_transport
      settings = GrpcTransport.settings(@configuration)
      GrpcTransport.new(settings)
    rescue RuntimeError => e
      raise unless e.message.include?("forking")

      # The parent has used gRPC, so this process cannot.
      RelayTransport.new(settings)
    end
  end
end
