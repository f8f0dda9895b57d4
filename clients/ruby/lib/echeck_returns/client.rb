# frozen_string_literal: true

require "forwardable"
require "securerandom"
require "echeck_returns/connection"
require "echeck_returns/import_values"
require "echeck_returns/importer"
require "echeck_returns/messages"
require "echeck_returns/pages"
require "echeck_returns/return_stream"
require "echeck_returns/transfer_batch"

module EcheckReturns
  # The calls. A client may be shared by threads, and used before and after a fork.
  #
  # Every method may raise {CallError}; the comments name what is specific.
  class Client
    # @param configuration [Configuration]
    # @raise [ConfigurationError]
    def initialize(configuration, connection: nil)
      @configuration = configuration.dup.validate.freeze
      @connection = connection || Connection.new(@configuration)
    end

    # A transfer with its return, by its id or its trace id.
    # @param view [Symbol, nil] :finix or :rainforest, to see it as that platform shows it
    # @param api_version [String, nil] the version of the view, such as "2024-10-16"
    # @return [Transfer]
    # @raise [NotFound]
    # @raise [FailedPrecondition] with reason AMBIGUOUS_TRACE_ID
    def transfer(transfer_id = nil, trace_id: nil, view: nil, api_version: nil)
      key = Messages.key(transfer_id, trace_id)
      request = Messages.build(:GetTransferRequest, **key, view: view, api_version: api_version)
      Transfer.from_proto(call(:get_transfer, request).transfer)
    end

    # Many transfers, in calls of 500.
    # @param transfer_ids [Array<String>]
    # @param trace_ids [Array<String>]
    # @return [TransferBatch]
    def transfers(transfer_ids = [], trace_ids: [], view: nil, api_version: nil)
      keys = transfer_ids.map { |id| Messages.key(id, nil) } + trace_ids.map { |id| Messages.key(nil, id) }
      TransferBatch.fetch(keys) do |some|
        request = Messages.build(:BatchGetTransfersRequest, selectors: some, view: view, api_version: api_version)
        call(:batch_get_transfers, request).results
      end
    end

    # @return [AchReturn]
    # @raise [NotFound]
    def ach_return(ach_return_id, view: nil, api_version: nil)
      request = Messages.build(:GetReturnRequest, ach_return_id: ach_return_id, view: view, api_version: api_version)
      AchReturn.from_proto(call(:get_return, request).ach_return)
    end

    # Returns and corrections as they stand, newest first, page by page.
    # @param since [Time, nil] only those decided at this time or later
    # @param before [Time, nil] only those decided before this time
    # @param filters import_id:, transfer_id:, return_code:, merchant_identity:, effect:,
    #   min_amount_minor:, max_amount_minor:, page_size:
    # @return [Enumerator::Lazy<AchReturn>]
    def each_return(since: nil, before: nil, **filters, &block)
      filters = { page_size: 500, decided_from: since, decided_before: before, **filters }
      list(:list_returns, :ListReturnsRequest, :ach_returns, AchReturn, filters, &block)
    end

    # Every decision after a position of the journal, in its order, and then each new one. It goes
    # on until the block breaks. A connection that is cut off continues by itself: nothing is
    # missed, and nothing comes twice. Store position and journal_id with what you did, and continue from there.
    # @param after [Integer] the position; 0 is the beginning
    # @param journal_id [String, nil] the journal that the position is of
    # @param heartbeat [Numeric] the service speaks at least once in so many seconds, 1 to 60
    # @param heartbeats [Boolean] whether heartbeats are yielded too, to store their position
    # @yieldparam streamed [StreamedReturn]
    # @return [Enumerator] without a block
    # @raise [FailedPrecondition] with reason ANOTHER_JOURNAL
    # @raise [OutOfRange] when the journal has no such position
    def stream_returns(after: 0, journal_id: nil, heartbeat: 15, heartbeats: false, &block)
      stream = ReturnStream.new(@connection, after: after, journal_id: journal_id, heartbeat: heartbeat,
                                             heartbeats: heartbeats, patience: @configuration.stream_patience)
      block ? stream.each(&block) : stream.to_enum(:each)
    end

    # Sends a return file, and waits.
    # @param io [#read, Pathname] the file; an upload of Rails will do
    # @param source [String] the configured source that it belongs to
    # @param wait [Symbol, nil] :applied (every database has it), :decided, or nil (it is stored)
    # @param dry_run [Boolean] decide, and save nothing
    # @param request_id [String] your own id of this request, if you will repeat it yourself
    # @param timeout [Numeric] how many seconds it may take
    # @yieldparam progress [ImportProgress] after each chunk, and after each change of the import
    # @return [ImportResult] a file that was rejected is no error; see {Import#rejected?}
    # @raise [DeadlineExceeded] while it waits; the import continues
    def import_file(io, source:, file_name: nil, wait: :applied, dry_run: false, accept_missing_controls: false,
                    reason: nil, request_id: SecureRandom.uuid, timeout: @configuration.import_timeout, &progress)
      importer = Importer.new(@connection, io, timeout: timeout, progress: progress)
      importer.run(wait, source: source, file_name: file_name, dry_run: dry_run, request_id: request_id,
                         accept_missing_controls: accept_missing_controls, reason: reason)
    end

    # @return [Import]
    # @raise [NotFound]
    def import(import_id)
      request = Messages.build(:GetImportRequest, import_id: import_id)
      Import.from_proto(call(:get_import, request).file_import)
    end

    # Imports, newest first, page by page.
    # @param since [Time, nil] only those received at this time or later
    # @param before [Time, nil] only those received before this time
    # @param filters source:, state:, min_amount_minor:, max_amount_minor:, page_size:
    # @return [Enumerator::Lazy<Import>]
    def each_import(since: nil, before: nil, **filters, &block)
      filters = { page_size: 500, received_from: since, received_before: before, **filters }
      list(:list_imports, :ListImportsRequest, :imports, Import, filters, &block)
    end

    # The import as it is now and after each change, until it is rejected or applied.
    # @yieldparam import [Import]
    # @return [Import] the last one; without a block an Enumerator
    # @raise [NotFound]
    # @raise [DeadlineExceeded]
    def watch_import(import_id, timeout: @configuration.import_timeout, &block)
      return to_enum(:watch_import, import_id, timeout: timeout) unless block

      ImportWatch.new(@connection, import_id, Clock.now + timeout).each(&block)
    end

    # @return [Hold]
    # @raise [NotFound]
    def hold(hold_id)
      Hold.from_proto(call(:get_hold, Messages.build(:GetHoldRequest, hold_id: hold_id)).hold)
    end

    # Holds, oldest first, page by page; open ones unless a state is given.
    # @param filters state:, reason:, import_id:, source:, code:, page_size:
    # @return [Enumerator::Lazy<Hold>]
    def each_hold(**filters, &block)
      list(:list_holds, :ListHoldsRequest, :holds, Hold, { page_size: 500, **filters }, &block)
    end

    # Looks a held entry up and decides it again.
    # @param transfer_id [String, nil] decide it for this transfer
    # @return [HoldResolution] the hold is still open when it cannot be decided yet
    def retry_hold(hold_id, transfer_id: nil, note: nil, request_id: SecureRandom.uuid)
      resolve(hold_id: hold_id, retry_hold: { transfer_id: transfer_id.to_s }, note: note, request_id: request_id)
    end

    # Closes a hold without effect.
    # @param note [String] why
    # @return [HoldResolution]
    def dismiss_hold(hold_id, note:, request_id: SecureRandom.uuid)
      resolve(hold_id: hold_id, dismiss_hold: {}, note: note, request_id: request_id)
    end

    # Closes the connection, if there is one. Calls that are under way fail; the next call connects
    # again.
    # @return [void]
    def close
      @connection.close
    end

    # @return [String] without secrets
    def inspect
      "#<#{self.class} #{@configuration.inspect}>"
    end

    private

    def call(rpc, request)
      @connection.call(rpc) { request }
    end

    def resolve(**arguments)
      request = Messages.build(:ResolveHoldRequest, **arguments)
      HoldResolution.from_proto(call(:resolve_hold, request))
    end

    def list(rpc, message, items, type, filters, &block)
      request = Messages.build(message, **filters)
      found = Pages.each(items) do |token|
        page = request.dup
        page.page_token = token
        call(rpc, page)
      end
      found = found.map { |one| type.from_proto(one) }
      block ? found.each(&block) : found
    end
  end
end
