# frozen_string_literal: true

require "pathname"

module EcheckReturns
  # The bytes of a file: anything that can be read.
  # @api private
  class ImportSource
    # The service takes at most 1 MiB at once.
    CHUNK = 256 * 1024
    private_constant :CHUNK

    # @return [String]
    attr_reader :file_name
    # @return [Integer, nil] how many bytes there are, when that is known before they are read
    attr_reader :size
    # @return [Integer] how many bytes were read
    attr_reader :sent

    def self.open(given, file_name)
      return given.open("rb") { |file| yield new(file, file_name) } if given.is_a?(Pathname)

      yield new(given, file_name)
    end

    def initialize(io, file_name)
      raise ArgumentError, "a file is something to read, or a Pathname, not a #{io.class}" unless io.respond_to?(:read)

      @io = io
      @start = position
      @size = io.size - @start if @start && io.respond_to?(:size) && io.size
      @file_name = file_name || name_of(io)
      @sent = 0
    end

    # @return [Boolean] whether the bytes can be read again
    def rewindable?
      !@start.nil?
    end

    def rewind
      @io.seek(@start) if @sent.positive?
      @sent = 0
    end

    def each_chunk
      while (chunk = @io.read(CHUNK)) && !chunk.empty?
        @sent += chunk.bytesize
        yield chunk, @sent
      end
    end

    private

    # A pipe has no position.
    def position
      @io.pos if @io.respond_to?(:pos) && @io.respond_to?(:seek)
    rescue SystemCallError
      nil
    end

    def name_of(io)
      name = io.original_filename if io.respond_to?(:original_filename)
      name ||= io.path if io.respond_to?(:path)
      raise ArgumentError, "file_name is required: the file has no name of its own" unless name

      File.basename(name)
    end
  end
end
