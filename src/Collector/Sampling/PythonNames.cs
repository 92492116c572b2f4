using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Names the Python frames of stack records by what the BPF program wrote down of their code objects.</summary>
/// <remarks>Used by the sampling thread, when a record comes: later the kernel's bounded map may have forgotten.</remarks>
internal sealed class PythonNames(BpfMap names)
{
    private const int MostFunctions = 65_536;

    private readonly Dictionary<PythonCode, PythonFunction> _functions = [];

    /// <summary>Functions whose name could not be read, since the start.</summary>
    public long Unnamed { get; private set; }

    /// <param name="words">Two for each frame: code object, and first line with the entry bit. No code object: frames that had no place in the record.</param>
    public PythonFrame[] Read(KnownProcess process, ReadOnlySpan<ulong> words)
    {
        var layout = process.Python ?? default;
        var frames = new PythonFrame[words.Length / 2];
        for (var i = 0; i < frames.Length; i++)
        {
            var (code, line, isEntry) = (words[2 * i], (uint)(words[(2 * i) + 1] >> 32), (words[(2 * i) + 1] & 1) != 0);
            frames[i] = layout.Entry == PythonEntry.Shim && isEntry
                ? new PythonFrame(null, IsEntry: true, IsShim: true)
                : new PythonFrame(FunctionOf(new PythonCode(code, (uint)process.Identity.Pid, line), layout.AsciiBit), isEntry, IsShim: false);
        }

        return frames;
    }

    private PythonFunction? FunctionOf(PythonCode code, uint asciiBit)
    {
        if (_functions.TryGetValue(code, out var known))
        {
            return known;
        }

        if (code.Code == 0)
        {
            return null;
        }

        if (asciiBit == 0 || names.Find<PythonCode, PythonName>(code) is not { } name)
        {
            Unnamed++;
            return null;
        }

        if (_functions.Count >= MostFunctions)
        {
            _functions.Clear();
        }

        var function = new PythonFunction(name.NameText(asciiBit), name.FileText(asciiBit), (int)code.FirstLine);
        _functions.Add(code, function);
        return function;
    }
}
