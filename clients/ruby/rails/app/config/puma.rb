# A worker that is forked from a master which has loaded the app, and has made a call already.
bind "tcp://127.0.0.1:#{ENV.fetch("PORT")}"
workers 1
threads 1, 5
preload_app!
before_fork { File.write("tmp/master", EcheckReturns.each_import.first(1).inspect) }
