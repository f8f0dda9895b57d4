# Runs a session of a document: the statements of a file, each up to a line with `# =>` or `# raises`.
# Prints what each of them gives.
require "json"

session = binding
given = []
File.read(ARGV.fetch(0)).lines.slice_after(/# (=>|raises) /).each do |lines|
  code = lines.join
  given << begin
    "=> #{session.eval(code).inspect}"
  rescue StandardError => e
    raise if e.is_a?(EcheckReturns::Unimplemented)

    "raises #{e.class}"
  end
end
puts JSON.generate(given)
