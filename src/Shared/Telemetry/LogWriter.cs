using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ActorProfiler.Telemetry;

public enum LogFormat
{
    /// <summary>For people at a terminal.</summary>
    Human,

    /// <summary><c>key=value</c> pairs, one record per line.</summary>
    Logfmt,

    /// <summary>One JSON object per line.</summary>
    Json,
}

public enum LogLevel
{
    Debug,
    Info,
    Warning,
    Error,
}

/// <summary>Writes log lines to standard error. Control characters are escaped: a line is one line, whatever a target is called.</summary>
public sealed class LogWriter(TextWriter output, LogFormat format, TimeProvider time)
{
    private readonly Lock _lock = new();

    /// <summary>Format of a terminal, or logfmt when the output goes elsewhere.</summary>
    public static LogFormat DefaultFormat => Console.IsErrorRedirected ? LogFormat.Logfmt : LogFormat.Human;

    public void Write(LogLevel level, string source, string message)
    {
        var now = time.GetUtcNow();
        var line = format switch
        {
            LogFormat.Json => JsonSerializer.Serialize(new Dictionary<string, string>
            {
                ["ts"] = now.ToString("O", CultureInfo.InvariantCulture),
                ["level"] = NameOf(level),
                ["component"] = source,
                ["msg"] = message,
            }),
            LogFormat.Logfmt => $"ts={now:yyyy-MM-ddTHH:mm:ss.fffZ} level={NameOf(level)} component={Quote(source)} msg={Quote(message)}",
            _ => $"{now.ToLocalTime():HH:mm:ss} {NameOf(level),-7} {Escape(message)}",
        };
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Debug => "debug",
        LogLevel.Info => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    private static string Quote(string text)
    {
        var escaped = Escape(text);
        return escaped.Length > 0 && escaped.All(c => c is not (' ' or '"' or '=')) ? escaped : $"\"{escaped.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static string Escape(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c == '\n' ? escaped.Append("\\n") : char.IsControl(c) ? escaped.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}") : escaped.Append(c);
        }

        return escaped.ToString();
    }
}
