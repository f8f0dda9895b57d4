# frozen_string_literal: true

require "fiddle"
require "grpc"

module EcheckReturns
  # Lets a forked child forget its parent's gRPC.
  #
  # A child inherits gRPC's channels and calls, but not the threads that serve them, and its sockets
  # and epoll sets are the parent's own. When the child ends, Ruby frees what it inherited. That shuts
  # the parent's connections down, whose calls then hang, or reads the stack of a thread that is
  # gone, and the child crashes. So as soon as a child is born, it takes the native part out of these
  # objects, which is what gRPC itself does with a call that is closed: nothing is freed then. This
  # needs Ruby 3.1 (Process._fork).
  # @api private
  module ForkGuard
    # Runs in every fork of Ruby.
    module Hook
      def _fork
        super.tap { |pid| ForkGuard.forget if pid.zero? }
      end
    end

    TYPES = %i[Call CallCredentials Channel ChannelCredentials Server ServerCredentials].freeze
    # The layout of Ruby's RTypedData: flags, class, type, a word that is 1, and the data.
    WORD = Fiddle::SIZEOF_VOIDP
    private_constant :TYPES, :WORD

    @armed = false

    class << self
      # gRPC is used in this process.
      def arm
        @armed = true
      end

      def forget
        return unless @armed

        @armed = false
        TYPES.each do |name|
          next unless GRPC::Core.const_defined?(name)

          ObjectSpace.each_object(GRPC::Core.const_get(name)) { |object| empty(object) }
        end
      end

      private

      def empty(object)
        words = Fiddle::Pointer.new(Fiddle.dlwrap(object), 5 * WORD)
        # A Ruby with another layout is left alone.
        words[4 * WORD, WORD] = [0].pack("J") if words[3 * WORD, WORD].unpack1("J") == 1
      end
    end

    Process.singleton_class.prepend(Hook) if Process.respond_to?(:_fork)
  end
end
