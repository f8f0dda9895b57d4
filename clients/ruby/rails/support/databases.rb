# frozen_string_literal: true

require "etc"
require "fileutils"

# A throwaway PostgreSQL and a throwaway MariaDB on free ports, in a folder.
class Databases
  # @return [Integer]
  attr_reader :postgres_port, :mariadb_port

  def initialize(folder)
    @folder = folder
    @postgres_port = Shell.free_port
    @mariadb_port = Shell.free_port
    [Thread.new { start_postgres }, Thread.new { start_mariadb }].each(&:join)
  end

  def url(kind, database)
    case kind
    when :postgres then "postgres://postgres@127.0.0.1:#{postgres_port}/#{database}"
    when :mariadb then "mysql://proof:proof@127.0.0.1:#{mariadb_port}/#{database}"
    end
  end

  # Rails calls MariaDB's adapter mysql2.
  def rails_url(kind, database)
    url(kind, database).sub(/\Amysql:/, "mysql2:")
  end

  # Runs SQL on PostgreSQL.
  def psql(database, sql)
    as_postgres("#{postgres}/psql", "-h", "127.0.0.1", "-p", postgres_port.to_s, "-U", "postgres", "-d", database,
                "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql)
  end

  # Runs SQL on MariaDB.
  def mariadb(database, sql)
    Shell.run("mariadb", "--no-defaults", "-u", "root", "-S", "#{@folder}/maria.sock", "-N", "-B", *database, "-e", sql)
  end

  # Runs SQL on either.
  # @return [Array<String>] the rows
  def sql(kind, database, sql)
    (kind == :postgres ? psql(database, sql) : mariadb(database, sql)).lines.map(&:strip)
  end

  def stop
    Shell.stop(@mariadb, "KILL") if @mariadb
    as_postgres("#{postgres}/pg_ctl", "-D", "#{@folder}/pg/data", "-m", "immediate", "-w", "stop")
  end

  private

  def postgres
    @postgres ||= Dir["/usr/lib/postgresql/*/bin"].max_by { |path| path[/\d+/].to_i }
  end

  # PostgreSQL refuses to run as root.
  def as_postgres(*command)
    command = ["runuser", "-u", "postgres", "--", *command] if Process.uid.zero?
    Shell.run(*command, folder: "/")
  end

  def start_postgres
    home = "#{@folder}/pg"
    FileUtils.mkdir_p(home)
    FileUtils.chmod(0o755, @folder)
    FileUtils.chown("postgres", nil, home) if Process.uid.zero?
    as_postgres("#{postgres}/initdb", "-D", "#{home}/data", "-U", "postgres", "-A", "trust", "-N",
                "--locale=C.UTF-8", "-E", "UTF8")
    options = "-c listen_addresses=127.0.0.1 -c port=#{postgres_port} -c unix_socket_directories=#{home} " \
              "-c max_connections=200"
    as_postgres("#{postgres}/pg_ctl", "-D", "#{home}/data", "-w", "-l", "#{home}/log", "-o", options, "start")
  end

  def start_mariadb
    home = "#{@folder}/maria"
    user = Etc.getpwuid.name
    Shell.run("mariadb-install-db", "--no-defaults", "--user=#{user}", "--datadir=#{home}", "--skip-test-db",
              "--auth-root-authentication-method=normal", "--skip-name-resolve")
    @mariadb = Shell.start("mariadbd", "--no-defaults", "--user=#{user}", "--datadir=#{home}",
                           "--socket=#{@folder}/maria.sock", "--bind-address=127.0.0.1", "--port=#{mariadb_port}",
                           "--skip-name-resolve", "--innodb-buffer-pool-size=64M", log: "#{@folder}/maria.log")
    Shell.eventually("MariaDB", log: "#{@folder}/maria.log") { Shell.listens?(mariadb_port) }
    sql = "CREATE USER 'proof'@'127.0.0.1' IDENTIFIED BY 'proof'; GRANT ALL ON *.* TO 'proof'@'127.0.0.1'"
    mariadb(nil, sql)
  end
end
