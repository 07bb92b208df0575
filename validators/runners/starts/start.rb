# Runs the tests, and writes the last word when they have come to their end.
lambda do |last_word, report|
  load "./given_tests.rb"
  report.write(last_word)
end.call($stdin.read, IO.new(3, "w"))
