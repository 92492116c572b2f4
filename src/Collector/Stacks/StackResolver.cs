using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Collector.Stacks;

/// <summary>Names the addresses of raw stacks. A stack that is seen interval after interval is named once.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class StackResolver(SymbolCaches symbols, JitNames jit)
{
    /// <summary>Stands for the user frames of a process that ended before its mappings could be read.</summary>
    private static readonly Location _ended = Named("[process ended]");

    private readonly Dictionary<(RawStack Raw, bool GoTableFallback), Resolved> _known = [];
    private readonly List<Location> _frames = [];
    private readonly PythonFrames _python = new();
    private readonly JavaScriptFrames _javaScript = new();
    private readonly JavaFrames _java = new();
    private readonly RenamedFrames _renamed = new();
    private long _round;

    /// <param name="IsFinal">False when code without a file has no name: a JIT may still tell it.</param>
    /// <param name="Version">Of the names, see <see cref="RawStack.NameVersion"/>.</param>
    /// <param name="Replacements">Of the process's code, see <see cref="KnownProcess.Replacements"/>.</param>
    private sealed record Resolved(ResolvedStack Stack, bool IsFinal, int Version, int Replacements)
    {
        public long LastRound { get; set; }
    }

    /// <summary>Frames named, and frames left as <c>module+0xoffset</c> or the like, since the start.</summary>
    public (long Known, long Unknown) Frames { get; private set; }

    /// <summary>The stack with names, leaf first: kernel frames, then user frames.</summary>
    /// <param name="demangle">Mode in which its names are shown; "" for the one of all.</param>
    /// <param name="goTableFallback">As <see cref="SymbolOptions.GoTableFallback"/>; null for that of all.</param>
    public ResolvedStack Resolve(RawStack raw, string demangle = "", bool? goTableFallback = null)
    {
        var stack = Resolve(raw, goTableFallback ?? symbols.Options.GoTableFallback);
        return demangle.Length == 0 || !Enum.TryParse<DemangleMode>(demangle, ignoreCase: true, out var mode) || mode == symbols.Options.Demangle
            ? stack
            : _renamed.Show(stack, mode);
    }

    private ResolvedStack Resolve(RawStack raw, bool goTableFallback)
    {
        var replacements = raw.Process.Replacements; // before the image: an older one is looked up once more
        var image = raw.Process.Image;
        if (!_known.TryGetValue((raw, goTableFallback), out var resolved) || (!resolved.IsFinal && resolved.LastRound != _round)
            || resolved.Version != raw.NameVersion || resolved.Replacements != replacements)
        {
            resolved = ResolveAnew(raw, image, goTableFallback, replacements);
            _known[(raw, goTableFallback)] = resolved;
        }

        resolved.LastRound = _round;
        return resolved.Stack;
    }

    /// <summary>Ends an interval: forgets the stacks it did not see.</summary>
    public void EndRound()
    {
        _round++;
        foreach (var (key, resolved) in _known)
        {
            if (_round - resolved.LastRound > 1)
            {
                _known.Remove(key);
            }
        }

        symbols.EndRound();
    }

    /// <summary>Names shown in another way are looked up anew; sizes of caches take effect at the end of the round.</summary>
    public void Configure(SymbolOptions options)
    {
        if ((options.Demangle, options.GoTableFallback) != (symbols.Options.Demangle, symbols.Options.GoTableFallback))
        {
            _known.Clear();
        }

        symbols.Options = options;
    }

    /// <summary>Looks all names up anew.</summary>
    public void Forget()
    {
        _known.Clear();
        symbols.Clear();
    }

    private Resolved ResolveAnew(RawStack raw, ProcessImage? image, bool goTableFallback, int replacements)
    {
        var version = raw.NameVersion;
        _frames.Clear();
        for (var i = 0; i < raw.Kernel.Length; i++)
        {
            _frames.Add(symbols.ResolveKernel(raw.Kernel[i], isReturnAddress: i > 0));
        }

        if (image is not null && raw.User.Length > 0)
        {
            ResolveUser(raw, image, goTableFallback);
        }
        else if (raw.User.Length > 0)
        {
            _frames.Add(_ended);
        }

        var unknown = _frames.Count(frame => !frame.IsSymbolized);
        Frames = (Frames.Known + _frames.Count - unknown, Frames.Unknown + unknown);
        var isFinal = !_frames.Exists(frame => frame is { IsSymbolized: false, Module: null });
        if (!isFinal)
        {
            jit.OnUnknownCode(raw.Process.Identity);
        }

        return new Resolved(new ResolvedStack([.. _frames]), isFinal, version, replacements);
    }

    private void ResolveUser(RawStack raw, ProcessImage image, bool goTableFallback)
    {
        var process = symbols.For(image);
        var length = LengthInCode(raw, image);
        var native = _frames.Count;
        for (var i = 0; i < length; i++)
        {
            _frames.Add(SymbolCaches.Resolve(process, raw.User[i], isReturnAddress: i > 0, goTableFallback));
        }

        if (raw.Process.Java is { IsEnabled: true })
        {
            _java.Name(_frames, native, raw.Java);
        }

        if (raw.V8.Length > 0)
        {
            _javaScript.Merge(_frames, native, raw.V8, i => image.Find(raw.User[i] - (i > 0 ? 1u : 0))?.File is not null);
        }

        if (raw.Python.Length > 0)
        {
            _python.Merge(_frames, native, raw.Python);
        }
    }

    /// <summary>
    /// How many of the user frames to believe. A walk by frame pointers through code without them ends in addresses that are none:
    /// where it was not known to be complete, it is cut at the first frame outside executable memory.
    /// </summary>
    private static int LengthInCode(RawStack raw, ProcessImage image)
    {
        if (raw.Ending == WalkEnding.Complete && !raw.Flags.HasFlag(RecordFlags.Unknown))
        {
            return raw.User.Length;
        }

        var length = 1;
        while (length < raw.User.Length && image.Find(raw.User[length] - 1) is not null)
        {
            length++;
        }

        return length;
    }

    private static Location Named(string name) =>
        new(Module: null, Address: 0, [new Line(new Function(name, name), Number: 0)], IsSymbolized: false);
}
