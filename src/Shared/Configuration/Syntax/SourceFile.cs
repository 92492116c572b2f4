using System.Text;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>Where something is: both count from 1, columns in UTF-16 characters.</summary>
public readonly record struct Position(int Line, int Column);

/// <summary>A stretch of a source file: character offsets, <paramref name="End"/> exclusive.</summary>
public readonly record struct Span(int Start, int End)
{
    public static Span Between(Span first, Span last) => new(first.Start, last.End);
}

/// <summary>A configuration file's text and where its lines start.</summary>
public sealed class SourceFile
{
    /// <summary>Most a file may have.</summary>
    public const int BytesLimit = 4 << 20;

    private readonly List<int> _lineStarts = [0];

    /// <param name="name">As shown in messages.</param>
    public SourceFile(string name, string text)
    {
        Name = name;
        Text = text;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n')
            {
                _lineStarts.Add(i + 1);
            }
        }
    }

    public string Name { get; }

    public string Text { get; }

    public int LineCount => _lineStarts.Count;

    /// <summary>Decodes a file; a byte order mark at its start is skipped.</summary>
    /// <exception cref="FormatException">It is too large or not UTF-8.</exception>
    public static SourceFile FromBytes(string name, ReadOnlySpan<byte> content)
    {
        if (content.Length > BytesLimit)
        {
            throw new FormatException($"{name}: the file has {content.Length} bytes, more than {BytesLimit}");
        }

        try
        {
            var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
            return new SourceFile(name, strict.GetString(content.StartsWith("\uFEFF"u8) ? content[3..] : content));
        }
        catch (DecoderFallbackException cause)
        {
            throw new FormatException($"{name}: the file is not UTF-8: {cause.Message}", cause);
        }
    }

    public Position PositionOf(int offset)
    {
        var index = _lineStarts.BinarySearch(offset);
        var line = index >= 0 ? index : ~index - 1;
        return new Position(line + 1, offset - _lineStarts[line] + 1);
    }

    /// <summary>A line without its end; "" outside the file.</summary>
    public string Line(int number)
    {
        if (number < 1 || number > LineCount)
        {
            return "";
        }

        var start = _lineStarts[number - 1];
        var end = number < LineCount ? _lineStarts[number] - 1 : Text.Length;
        return Text[start..end].TrimEnd('\r');
    }
}
