namespace ActorProfiler.Configuration.Syntax;

/// <summary>Keeps written-out secrets out of messages that show the lines of a file.</summary>
internal static class SecretText
{
    private static readonly string[] _names = ["password", "secret", "token", "credential", "key", "authorization", "pem", "bearer", "cookie"];

    /// <summary>
    /// The line with the letters of its strings as asterisks when one of its names sounds like a secret, and a line that continues a raw string likewise
    /// when it looks like PEM; else the line itself. Its length stays.
    /// </summary>
    public static string Hide(string line)
    {
        if (line.Contains("-----BEGIN", StringComparison.Ordinal) || (line.Length >= 40 && line.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '+' or '/' or '=')))
        {
            return new string('*', line.Length);
        }

        return Array.Exists(_names, name => line.Contains(name, StringComparison.OrdinalIgnoreCase)) ? HideStrings(line) : line;
    }

    private static string HideStrings(string line)
    {
        var letters = line.ToCharArray();
        var afterEquals = false;
        var quote = '\0';
        for (var i = 0; i < letters.Length; i++)
        {
            if (quote != '\0' && (letters[i] != quote || (letters[i - 1] == '\\' && quote == '"')))
            {
                letters[i] = '*';
            }
            else if (quote != '\0')
            {
                quote = '\0';
            }
            else
            {
                afterEquals |= letters[i] == '=';
                quote = afterEquals && letters[i] is ('"' or '`' or '\'') ? letters[i] : '\0';
            }
        }

        return new string(letters);
    }
}
