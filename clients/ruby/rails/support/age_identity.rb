# frozen_string_literal: true

require "securerandom"

# Draws an age identity, as `age-keygen` does: 32 bytes in Bech32 (BIP 173).
module AgeIdentity
  ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
  GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].freeze
  PREFIX = "age-secret-key-"

  module_function

  def draw
    bits = SecureRandom.bytes(32).unpack1("B*")
    words = bits.ljust(260, "0").scan(/.{5}/).map { |one| one.to_i(2) }
    "#{PREFIX}1#{(words + checksum(words)).map { |word| ALPHABET[word] }.join}".upcase
  end

  def checksum(words)
    prefix = PREFIX.bytes.map { |byte| byte >> 5 } + [0] + PREFIX.bytes.map { |byte| byte & 31 }
    sum = polymod(prefix + words + [0] * 6) ^ 1
    Array.new(6) { |index| (sum >> (5 * (5 - index))) & 31 }
  end

  def polymod(words)
    words.inject(1) do |sum, word|
      top = sum >> 25
      sum = ((sum & 0x1ffffff) << 5) ^ word
      GENERATOR.each_with_index.inject(sum) { |one, (value, bit)| top[bit] == 1 ? one ^ value : one }
    end
  end
end
