# frozen_string_literal: true

require "socket"
require "grpc"
require "echeck/returns/v1/returns_service_services_pb"

module EcheckReturns
  # How a process and its helper talk: a length, then a kind and a value. Both ends are this gem in
  # processes of one family, on a socket that has no name, so that nobody else can write to it.
  # @api private
  module RelayFrames
    DESCRIPTORS = Echeck::Returns::V1::ReturnsService::Service.rpc_descs.to_h do |name, descriptor|
      [GRPC::GenericService.underscore(name.to_s).to_sym, descriptor]
    end.freeze
    private_constant :DESCRIPTORS

    module_function

    def descriptor(rpc)
      DESCRIPTORS.fetch(rpc)
    end

    def write(socket, kind, value)
      bytes = Marshal.dump([kind, value])
      socket.write([bytes.bytesize].pack("N"), bytes)
    end

    # @return [Array, nil] the kind and the value; nil when the other end is gone
    def read(socket)
      length = socket.read(4)
      return unless length&.bytesize == 4

      bytes = socket.read(length.unpack1("N"))
      Marshal.load(bytes) if bytes&.bytesize == length.unpack1("N")
    rescue IOError, SystemCallError
      nil
    end
  end
end
