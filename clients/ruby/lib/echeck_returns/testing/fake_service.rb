# frozen_string_literal: true

require "digest"
require "echeck/returns/v1/returns_service_services_pb"
require "echeck_returns/testing/fake_state"

module EcheckReturns
  module Testing
    V1 = Echeck::Returns::V1
    private_constant :V1

    # The calls that {Client} makes, answered from a {FakeState}.
    # @api private
    class FakeService < V1::ReturnsService::Service
      def initialize(state)
        super()
        @state = state
      end

      def get_transfer(request, call)
        enter(:get_transfer, request, call) do
          V1::GetTransferResponse.new(transfer: transfer(request) || not_found("transfer", key(request)))
        end
      end

      def batch_get_transfers(request, call)
        enter(:batch_get_transfers, request, call) do
          V1::BatchGetTransfersResponse.new(results: request.selectors.map { |one| result(one) })
        end
      end

      def get_return(request, call)
        enter(:get_return, request, call) do
          V1::GetReturnResponse.new(ach_return: found(:returns, "return", request.ach_return_id))
        end
      end

      def get_hold(request, call)
        enter(:get_hold, request, call) { V1::GetHoldResponse.new(hold: found(:holds, "hold", request.hold_id)) }
      end

      def get_import(request, call)
        enter(:get_import, request, call) do
          V1::GetImportResponse.new(file_import: found(:imports, "import", request.import_id))
        end
      end

      def list_returns(request, call)
        enter(:list_returns, request, call) do
          from = request.decided_from&.to_time
          fits = @state.all(:returns).reverse.select do |one|
            (from.nil? || (one.decided_at && one.decided_at.to_time >= from)) &&
              (request.transfer_id.empty? || one.transfer_id == request.transfer_id) &&
              (request.return_code.empty? || one.return_code == request.return_code)
          end
          some, token = page(fits, request)
          V1::ListReturnsResponse.new(ach_returns: some, next_page_token: token)
        end
      end

      def list_imports(request, call)
        enter(:list_imports, request, call) do
          some, token = page(@state.all(:imports).reverse, request)
          V1::ListImportsResponse.new(imports: some, next_page_token: token)
        end
      end

      def list_holds(request, call)
        enter(:list_holds, request, call) do
          state = request.state == :HOLD_STATE_UNSPECIFIED ? :HOLD_STATE_OPEN : request.state
          some, token = page(@state.all(:holds).select { |one| one.state == state }, request)
          V1::ListHoldsResponse.new(holds: some, next_page_token: token)
        end
      end

      def resolve_hold(request, call)
        enter(:resolve_hold, request, call) do
          hold = found(:holds, "hold", request.hold_id).dup
          hold.state = request.action == :dismiss_hold ? :HOLD_STATE_DISMISSED : :HOLD_STATE_RESOLVED
          hold.note = request.note
          @state.add(:holds, hold.hold_id, hold)
          V1::ResolveHoldResponse.new(hold: hold)
        end
      end

      # The import of a file is applied at once, and has the totals that {FakeServer#add_import} set.
      def import_file(call)
        header, *chunks = call.each_remote_read.to_a
        enter(:import_file, header, call) do
          raise Failures.error(:invalid_argument, message: "no header") unless header&.header

          @state.files << chunks.map(&:chunk).join
          import = imported(header.header, @state.files.last)
          duplicate = @state.find(:imports, import.import_id)
          @state.add(:imports, import.import_id, import) unless duplicate
          V1::ImportFileResponse.new(file_import: duplicate || import, duplicate_file: !duplicate.nil?)
        end
      end

      def watch_import(request, call)
        scripted = enter(:watch_import, request, call) { nil }
        return scripted if scripted

        Enumerator.new do |out|
          catch(:finished) { watch(request.import_id, out) }
        end
      end

      def stream_returns(request, call)
        scripted = enter(:stream_returns, request, call) { nil }
        return scripted if scripted

        Enumerator.new { |out| stream(request, out) }
      end

      private

      def enter(rpc, request, call)
        @state.enter(rpc, request, call) || yield
      end

      def key(selector)
        selector.public_send(selector.key) if selector.key
      end

      def transfer(selector)
        return @state.find(:transfers, selector.transfer_id) unless selector.key == :trace_id

        @state.all(:transfers).find { |one| one.trace_id == selector.trace_id }
      end

      def result(selector)
        found = transfer(selector)
        return V1::TransferResult.new(transfer: found) if found

        message = "there is no transfer #{key(selector).inspect}"
        V1::TransferResult.new(error: { reason: "NOT_FOUND", message: message })
      end

      def found(kind, what, id)
        @state.find(kind, id) || not_found(what, id)
      end

      def not_found(what, id)
        raise Failures.error(:not_found, message: "there is no #{what} #{id.inspect}",
                                         metadata: { "resource" => what, "id" => id.to_s })
      end

      # A page token is the number of elements before it.
      def page(all, request)
        size = request.page_size.zero? ? 50 : request.page_size
        from = request.page_token.to_i
        [all[from, size] || [], from + size < all.size ? (from + size).to_s : ""]
      end

      def imported(header, bytes)
        V1::Import.new(import_id: "imp_#{Digest::SHA256.hexdigest(bytes)[0, 12]}", source: header.source,
                       file_name: header.file_name, sha256: Digest::SHA256.hexdigest(bytes),
                       size_bytes: bytes.bytesize,
                       state: header.dry_run ? :IMPORT_STATE_DRY_RUN : :IMPORT_STATE_APPLIED)
      end

      def watch(import_id, out)
        last = nil
        @state.follow do
          import = found(:imports, "import", import_id)
          out << V1::WatchImportResponse.new(file_import: import) if import != last
          last = import
          throw :finished if %i[IMPORT_STATE_APPLIED IMPORT_STATE_REJECTED IMPORT_STATE_DRY_RUN].include?(import.state)
        end
      end

      def stream(request, out)
        position = request.after_position
        heartbeat = request.heartbeat_ms.zero? ? 15_000 : request.heartbeat_ms
        @state.follow(heartbeat / 1000.0) do
          fresh = @state.all(:returns).select { |one| one.position > position }.sort_by(&:position)
          fresh.each { |one| out << streamed(position = one.position, one) }
          out << streamed(position) if fresh.empty?
        end
      end

      def streamed(position, ach_return = nil)
        V1::StreamReturnsResponse.new(position: position, ach_return: ach_return, journal_id: "the-journal")
      end
    end
  end
end
