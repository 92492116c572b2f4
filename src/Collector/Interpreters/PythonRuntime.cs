using System.Text.RegularExpressions;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>Finds CPython in a process and how its memory is laid out.</summary>
internal static partial class PythonRuntime
{
    /// <summary>The function that runs Python code. Compilers split it: <c>_PyEval_EvalFrameDefault.cold</c>, <c>….localalias</c>.</summary>
    public const string Loop = "_PyEval_EvalFrameDefault";

    private const string Symbol = "_PyRuntime";
    private const int SelfDescribing = 13;

    /// <summary>The layout, with the address of the interpreters' list in the process.</summary>
    /// <param name="reason">"" when the process runs no CPython; else, with null, why its frames cannot be read: a counter's label.</param>
    public static PythonLayout? Find(ProcessImage image, out string reason)
    {
        reason = "";
        foreach (var mapped in image.Mappings)
        {
            // A launcher has the name too but no runtime: then that is in libpython, another mapping of the process.
            if (mapped.File is { } file && Name().Match(Path.GetFileName(mapped.Mapping.Path)) is { Success: true } match
                && Read(image, file, mapped, int.Parse(match.Groups["minor"].ValueSpan), ref reason) is var layout && (layout is not null || reason.Length > 0))
            {
                return layout;
            }
        }

        return null;
    }

    private static PythonLayout? Read(ProcessImage image, ElfFile file, MappedFile mapped, int minor, ref string reason)
    {
        try
        {
            if (DynamicSymbols.FindAddress(file, Symbol) is not { } runtime)
            {
                return null;
            }

            reason = "python_version";
            PythonLayout? layout = minor >= SelfDescribing ? PythonDebugOffsets.Parse(ReadData(file, runtime), out reason)
                : PythonLayout.Known.TryGetValue(minor, out var known) ? known : null;
            return layout is { } found ? WithThreads(found, image, file, runtime).In(runtime, mapped.Bias) : null;
        }
        catch (FormatException)
        {
            reason = "python_malformed";
            return null;
        }
    }

    /// <summary>The layout with where threads keep their states, as far as that can be told.</summary>
    private static PythonLayout WithThreads(PythonLayout layout, ProcessImage image, ElfFile file, ulong runtime)
    {
        var source = PythonStateSource.Find(file, runtime);
        if (source.Kind is PythonStateKind.None or PythonStateKind.Offset or PythonStateKind.OffsetAt)
        {
            return layout with { StateKind = source.Kind, StateAddress = source.Address, StateFurther = source.Further };
        }

        return ThreadArrays.Find(image, file) is not { } arrays ? layout : layout with
        {
            StateKind = source.Kind,
            StateAddress = source.Address,
            StateFurther = source.Further,
            Keys = arrays.Specific,
            EntrySize = arrays.EntrySize,
        };
    }

    private static byte[] ReadData(ElfFile file, ulong address)
    {
        var offset = file.OffsetOf(address) ?? throw new FormatException($"{Symbol} of {file.Path} at 0x{address:x} is in no loaded segment");
        return file.Source.ReadRange(offset, PythonDebugOffsets.Size, PythonDebugOffsets.Size, Symbol);
    }

    [GeneratedRegex(@"^(lib)?python3\.(?<minor>\d{1,2})", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
