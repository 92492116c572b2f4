using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Tests.Unwinding;

/// <summary>What binutils makes of a file's frames, and our rules in the same words.</summary>
internal static partial class FrameListing
{
    private static readonly string[] _registers =
        ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    public readonly record struct Row(ulong Address, string Cfa, string FramePointer, string ReturnAddress);

    /// <summary>The rows of all functions by <c>readelf --debug-dump=frames-interp</c>; of several at one address the last.</summary>
    public static IEnumerable<Row> Read(string path)
    {
        using var process = Process.Start(new ProcessStartInfo("readelf", ["--debug-dump=frames-interp", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var (inFunction, rbp, ra, end, last) = (false, -1, -1, 0ul, default(Row));
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var function = FunctionLine().Match(line);
            if (function.Success || line.Contains(" CIE ", StringComparison.Ordinal))
            {
                if (last.Address != 0)
                {
                    yield return last;
                }

                (inFunction, rbp, ra, last) = (function.Success, -1, -1, default);
                end = inFunction ? ulong.Parse(function.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;
                continue;
            }

            var fields = RegisterName().Replace(line, "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is ["LOC", ..])
            {
                (rbp, ra) = (Array.IndexOf(fields, "rbp"), Array.IndexOf(fields, "ra"));
            }
            else if (inFunction && fields.Length >= 2 && fields[1] != "ZERO" && ulong.TryParse(fields[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var address))
            {
                if (last.Address != 0 && last.Address != address)
                {
                    yield return last;
                }

                last = address >= end ? default : new Row(address, fields[1], rbp < 0 ? "u" : fields[rbp], ra < 0 ? "u" : fields[ra]);
            }
        }

        if (last.Address != 0)
        {
            yield return last;
        }

        process.WaitForExit();
    }

    /// <summary>Whether a rule says the same as the row; unsupported rules never do.</summary>
    public static bool Agree(UnwindRule rule, Row row) => rule.CfaKind switch
    {
        CfaKind.EndOfStack => row.ReturnAddress == "u",
        CfaKind.SignalFrame or CfaKind.Plt or CfaKind.AtFramePointer or CfaKind.AtStackPointer or CfaKind.AtIndexedStackPointer => row.Cfa is "exp" && AgreeOnFramePointer(rule, row),
        CfaKind.StackPointer => row.Cfa == Register(7, rule.FarOffset) && AgreeOnFramePointer(rule, row),
        CfaKind.FramePointer => row.Cfa == Register(6, rule.FarOffset) && AgreeOnFramePointer(rule, row),
        CfaKind.Register => row.Cfa == Register(rule.CfaRegister, rule.FarOffset) && AgreeOnFramePointer(rule, row),
        CfaKind.ReturnAddressAt => row.Cfa == Register(7, rule.CfaOffset) && row.ReturnAddress == $"c{rule.CfaOffset2:+0;-0}" && AgreeOnFramePointer(rule, row),
        CfaKind.ReturnAddressIn => row.Cfa == Register(7, rule.CfaOffset) && row.ReturnAddress == $"r{rule.CfaOffset2}" && AgreeOnFramePointer(rule, row),
        _ => false,
    };

    private static bool AgreeOnFramePointer(UnwindRule rule, Row row) => rule.FramePointerKind switch
    {
        FramePointerKind.Same => row.FramePointer is "u" or "s" || rule.CfaKind == CfaKind.SignalFrame,
        FramePointerKind.AtCfa => row.FramePointer == "c" + rule.FramePointerOffset.ToString("+0;-0", CultureInfo.InvariantCulture),
        FramePointerKind.AtFramePointer => row.FramePointer == "exp",
        FramePointerKind.Register => row.FramePointer == "r" + rule.FramePointerOffset.ToString(CultureInfo.InvariantCulture),
        _ => row.FramePointer is "exp" or "vexp",
    };

    private static string Register(int number, int offset) => _registers[number] + offset.ToString("+0;-0", CultureInfo.InvariantCulture);

    [GeneratedRegex(@" FDE .*pc=[0-9a-f]+\.\.([0-9a-f]+)")]
    private static partial Regex FunctionLine();

    /// <summary>A register kept in another is printed as <c>r10 (r10)</c>, in one column.</summary>
    [GeneratedRegex(@"(?<=r\d+) \(r\w+\)")]
    private static partial Regex RegisterName();
}
