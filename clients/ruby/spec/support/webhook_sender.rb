# frozen_string_literal: true

require "base64"
require "openssl"

# Signs messages as the service does.
module WebhookSender
  SECRET = "whsec_#{Base64.strict_encode64("a secret of the tests, 32 bytes.")}"
  OTHER_SECRET = "whsec_#{Base64.strict_encode64("another secret, also 32 bytes...")}"

  module_function

  def sign(body, id: "msg_1", at: Time.now, secret: SECRET)
    key = Base64.strict_decode64(secret.delete_prefix("whsec_"))
    digest = OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{at.to_i}.".b + body.b)
    { id: id, timestamp: at.to_i.to_s, signature: "v1,#{Base64.strict_encode64(digest)}" }
  end
end
