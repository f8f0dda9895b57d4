# frozen_string_literal: true

require "rbs"
require "rbs/cli"

RSpec.describe "The signatures" do
  let(:environment) do
    loader = RBS::EnvironmentLoader.new
    %w[bigdecimal date time pathname].each { |library| loader.add(library: library) }
    loader.add(path: Pathname(File.expand_path("../sig", __dir__)))
    RBS::Environment.from_loader(loader).resolve_type_names
  end
  let(:builder) { RBS::DefinitionBuilder.new(env: environment) }

  def declared(name)
    builder.build_instance(TypeName("::EcheckReturns::#{name}")).methods
  end

  it "have every method of a client, with its parameters" do
    EcheckReturns::Client.public_instance_methods(false).each do |name|
      next if name == :inspect

      method = declared("Client")[name] or raise "#{name} has no signature"
      keywords = EcheckReturns::Client.instance_method(name).parameters.select { |kind, _| %i[key keyreq].include?(kind) }
      type = method.method_types.first.type
      typed = type.required_keywords.keys + type.optional_keywords.keys
      expect(typed).to match_array(keywords.map(&:last)), name.to_s
    end
  end

  it "have every attribute of every value" do
    values = EcheckReturns.constants.map { |name| EcheckReturns.const_get(name) }
                          .select { |one| one.is_a?(Class) && one < EcheckReturns::Value }
    expect(values.size).to be > 10
    values.each do |value|
      name = value.name.delete_prefix("EcheckReturns::")
      own = declared(name).select { |_, method| method.implemented_in.to_s == "::#{value.name}" }.keys
      expect(own).to match_array(value.public_instance_methods(false)), name
    end
  end

  it "name only what exists, of types that exist" do
    environment.class_decls.each_key do |name|
      next unless name.to_s.start_with?("::EcheckReturns") && name.name != :_Calls

      constant = Object.const_get(name.to_s)
      next unless constant.is_a?(Class)

      declared(name.to_s.delete_prefix("::EcheckReturns::")).each do |method, definition|
        next unless definition.implemented_in == name

        expect(constant.method_defined?(method) || constant.private_method_defined?(method)).to be(true), "#{name}##{method}"
      end
    end
  end

  it "use types that exist" do
    libraries = %w[bigdecimal date time pathname].flat_map { |library| ["-r", library] }
    arguments = [*libraries, "-I", File.expand_path("../sig", __dir__), "validate", "--silent"]
    said = StringIO.new
    expect { RBS::CLI.new(stdout: said, stderr: said).run(arguments) }.not_to raise_error
  end
end
