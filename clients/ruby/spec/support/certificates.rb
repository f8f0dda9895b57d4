# frozen_string_literal: true

require "openssl"
require "tmpdir"

# A certificate authority for one test.
class Authority
  def initialize(name)
    @key = OpenSSL::PKey::EC.generate("prime256v1")
    @certificate = sign(name, @key, self_signed: true)
  end

  def pem
    @certificate.to_pem
  end

  # @return [Hash] cert: and key: in PEM
  def issue(name)
    key = OpenSSL::PKey::EC.generate("prime256v1")
    { cert: sign(name, key).to_pem, key: key.to_pem }
  end

  private

  def sign(name, key, self_signed: false)
    certificate = OpenSSL::X509::Certificate.new
    certificate.version = 2
    certificate.serial = OpenSSL::BN.rand(64)
    certificate.subject = OpenSSL::X509::Name.parse("/CN=#{name}")
    certificate.issuer = self_signed ? certificate.subject : @certificate.subject
    certificate.public_key = key
    certificate.not_before = Time.now - 60
    certificate.not_after = Time.now + 3600
    factory = OpenSSL::X509::ExtensionFactory.new
    constraint = factory.create_extension("basicConstraints", self_signed ? "CA:TRUE" : "CA:FALSE", true)
    certificate.add_extension(constraint)
    certificate.add_extension(factory.create_extension("subjectAltName", "IP:127.0.0.1,DNS:#{name}"))
    certificate.sign(@key, "SHA256")
  end
end
