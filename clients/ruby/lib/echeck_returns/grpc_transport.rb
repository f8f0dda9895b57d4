# frozen_string_literal: true

require "grpc"
require "echeck_returns/fork_guard"
require "echeck_returns/version"
require "echeck/returns/v1/returns_service_services_pb"

module EcheckReturns
  # Calls through a channel of this process.
  # @api private
  class GrpcTransport
    # The answers of a stream, one at a time.
    class Stream
      def initialize(operation)
        @operation = operation
        # An external enumerator can be dropped midway. Leaving a block instead would run gRPC's own
        # clean-up, which must not happen in a process that was forked meanwhile.
        @answers = operation.execute
      end

      # @raise [StopIteration] at the end
      def next
        @answers.next
      end

      def cancel
        @operation.cancel
      end
    end

    # @param settings [Hash] of {settings}
    # @raise [RuntimeError] from gRPC, when it was used before this process was forked
    def initialize(settings)
      credentials = settings[:plaintext] ? :this_channel_is_insecure : tls(settings)
      @channel = GRPC::Core::Channel.new(settings[:target], channel_args(settings), credentials)
      @stub = Echeck::Returns::V1::ReturnsService::Stub.new(settings[:target], nil, channel_override: @channel)
      ForkGuard.arm
    end

    # What a transport needs of the configuration. It has no token: that is in each call's metadata.
    def self.settings(configuration)
      { target: configuration.target, plaintext: configuration.plaintext?,
        server_name: configuration.server_name, max_message_bytes: configuration.max_message_bytes,
        ca: configuration.ca_file && File.read(configuration.ca_file),
        cert: configuration.cert_file && File.read(configuration.cert_file),
        key: configuration.key_file && File.read(configuration.key_file) }
    end

    # A call with one answer. +request+ is a message, or an Enumerable of messages.
    def unary(rpc, request, deadline:, metadata:)
      @stub.public_send(rpc, request, deadline: deadline, metadata: metadata)
    end

    def stream(rpc, request, deadline:, metadata:)
      Stream.new(@stub.public_send(rpc, request, return_op: true, deadline: deadline, metadata: metadata))
    end

    # gRPC tries to connect for as long as a channel is open.
    def close
      @channel.close
    end

    private

    def tls(settings)
      GRPC::Core::ChannelCredentials.new(*settings.values_at(:ca, :key, :cert))
    end

    def channel_args(settings)
      args = {
        "grpc.primary_user_agent" => "echeck_returns-ruby/#{VERSION}",
        "grpc.max_receive_message_length" => settings[:max_message_bytes],
        # A service that restarts is found again at once, not after gRPC's own second.
        "grpc.initial_reconnect_backoff_ms" => 100,
        "grpc.min_reconnect_backoff_ms" => 100,
        "grpc.max_reconnect_backoff_ms" => 2_000,
        # A peer that vanished without a word is noticed within 40 seconds.
        "grpc.keepalive_time_ms" => 30_000,
        "grpc.keepalive_timeout_ms" => 10_000,
        # Two clients in one process with different certificates must not share a connection.
        "grpc.use_local_subchannel_pool" => 1
      }
      args["grpc.ssl_target_name_override"] = settings[:server_name] if settings[:server_name]
      args
    end
  end
end
