# frozen_string_literal: true

require "echeck_returns/testing/fake_service"
require "echeck_returns/testing/fixtures"

module EcheckReturns
  module Testing
    # An in-process server on the loopback address. See {Testing}.
    class FakeServer
      # @return [String] what {Configuration#address} wants
      attr_reader :address
      # @return [Integer]
      attr_reader :port
      # @return [FakeState] what it answers
      attr_reader :state

      # @param token [String, nil] the only bearer token that it accepts
      # @param tls [Hash, nil] cert:, key: in PEM; with ca: callers need a certificate of that CA
      # @param port [Integer] 0 is any free port
      def initialize(token: nil, tls: nil, port: 0)
        @state = FakeState.new(token: token)
        @server = GRPC::RpcServer.new(pool_size: 32, poll_period: 0.1)
        @port = @server.add_http2_port("127.0.0.1:#{port}", credentials(tls))
        @address = "#{tls ? "https" : "http"}://127.0.0.1:#{@port}"
        @server.handle(FakeService.new(@state))
        @thread = Thread.new { @server.run }
        @server.wait_till_running(10) or raise Error, "the fake server did not start"
        ForkGuard.arm
        # gRPC aborts a process that ends with a running server.
        pid = Process.pid
        at_exit { stop if Process.pid == pid }
      end

      # @return [void]
      def stop
        return if @server.stopped?

        @state.close
        @server.stop
        @thread.join
      end

      # Adds a transfer; its return too, if it has one.
      # @param fields those of {Transfer}
      # @return [void]
      def add_transfer(**fields)
        transfer = Fixtures.build(V1::Transfer, { currency: "USD", state: "SUCCEEDED", type: "DEBIT", **fields })
        if transfer.ach_return
          transfer.has_ach_return = true
          transfer.ach_return.transfer_id = transfer.id
          transfer.ach_return = add_return_message(transfer.ach_return)
        end
        @state.add(:transfers, transfer.id, transfer)
      end

      # Adds a return; those who stream returns get it.
      # @param fields those of {AchReturn}
      # @return [Integer] its position
      def add_return(**fields)
        add_return_message(Fixtures.build(V1::AchReturn, { currency: "USD", **fields })).position
      end

      # @param fields those of {Hold}
      # @return [void]
      def add_hold(**fields)
        hold = Fixtures.build(V1::Hold, { currency: "USD", state: :open, **fields })
        @state.add(:holds, hold.hold_id, hold)
      end

      # Adds an import, or changes it; those who watch it get it.
      # @param fields those of {Import}
      # @return [void]
      def add_import(**fields)
        import = Fixtures.build(V1::Import, { state: :applied, **fields })
        @state.add(:imports, import.import_id, import)
      end

      # Lets the next calls of a method fail.
      # @param rpc [Symbol] such as :get_transfer
      # @param code [Symbol] such as :unavailable
      # @param times [Integer]
      # @param details message:, reason:, domain:, metadata:, field_violations:, retry_after:
      # @return [void]
      def fail(rpc, code, times: 1, **details)
        @state.fail(rpc, [Failures.error(code, **details)] * times)
      end

      # Lets the calls of a method hang until {#stop}.
      # @return [void]
      def hang(rpc)
        @state.hang(rpc)
      end

      # Answers a method with what the block gives.
      # @yieldparam request [Google::Protobuf::MessageExts]
      # @return [void]
      def answer(rpc, &block)
        @state.answer(rpc, block)
      end

      # Cuts off every stream.
      # @return [void]
      def cut_streams
        @state.cut
      end

      # @return [Array<FakeState::Call>] the calls that came, each with request and metadata
      def calls(rpc = nil)
        @state.calls(rpc)
      end

      # @return [Array<String>] the bytes of the files that were imported
      def files
        @state.files
      end

      private

      def add_return_message(ach_return)
        ach_return.ach_return_id = "ret_#{@state.next_position}" if ach_return.ach_return_id.empty?
        ach_return.effect = :EFFECT_RETURN if ach_return.effect == :EFFECT_UNSPECIFIED
        @state.add_return(ach_return)
      end

      def credentials(tls)
        return :this_port_is_insecure unless tls

        pair = [{ private_key: tls.fetch(:key), cert_chain: tls.fetch(:cert) }]
        GRPC::Core::ServerCredentials.new(tls[:ca], pair, !tls[:ca].nil?)
      end
    end
  end
end
