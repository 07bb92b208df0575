<?php
// Runs the tests, and writes the last word when they have come to their end.
final class StartOfTests
{
    private static string $lastWord;

    public static function begin(): void
    {
        self::$lastWord = stream_get_contents(STDIN);
    }

    public static function end(): void
    {
        fwrite(fopen('php://fd/3', 'w'), self::$lastWord);
    }
}
StartOfTests::begin();
require './given_tests.php';
StartOfTests::end();
