# frozen_string_literal: true

require "echeck_returns/import_source"
require "echeck_returns/import_watch"
require "echeck_returns/messages"

module EcheckReturns
  # Sends a file, then watches the import.
  # @api private
  class Importer
    def initialize(connection, io, timeout:, progress:)
      @connection = connection
      @io = io
      @timeout = timeout
      @progress = progress
    end

    # @return [ImportResult]
    def run(wait, file_name:, **header)
      unless [nil, :decided, :applied].include?(wait)
        raise ArgumentError, "wait is #{wait.inspect}; it must be :applied, :decided or nil"
      end

      deadline = Clock.now + @timeout
      result = ImportSource.open(@io, file_name) do |source|
        send_file(source, Messages.build(:ImportFileHeader, file_name: source.file_name, **header))
      end
      await(result, wait, deadline)
    end

    private

    def send_file(source, header)
      answer = @connection.call(:import_file, timeout: @timeout, repeatable: source.rewindable?) do
        Enumerator.new do |out|
          source.rewind
          out << Echeck::Returns::V1::ImportFileRequest.new(header: header)
          source.each_chunk do |chunk, sent|
            out << Echeck::Returns::V1::ImportFileRequest.new(chunk: chunk)
            report(sent, source.size)
          end
        end
      end
      @sent = source.sent
      @total = source.size
      ImportResult.from_proto(answer)
    end

    def await(result, wait, deadline)
      report(@sent, @total, result.import)
      return result if wait.nil? || reached?(result.import, wait)

      last = ImportWatch.new(@connection, result.import.id, deadline).each do |import|
        report(@sent, @total, import) if import != result.import
        break import if reached?(import, wait)
      end
      ImportResult.new({ import: last, duplicate_file: result.duplicate_file? })
    end

    def reached?(import, wait)
      import.finished? || (wait == :decided && import.decided?)
    end

    def report(sent, total, import = nil)
      @progress&.call(ImportProgress.new(bytes_sent: sent, bytes_total: total, import: import).freeze)
    end
  end
end
