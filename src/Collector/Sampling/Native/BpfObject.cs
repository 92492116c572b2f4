using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>A loaded BPF object file: its maps, and the attaching of its programs.</summary>
/// <remarks>Not thread-safe. Maps and links it gave out must not be used after it is disposed.</remarks>
internal sealed unsafe class BpfObject : IDisposable
{
    /// <summary>libbpf's log level for errors; the verifier's words come at this level.</summary>
    private const int WarningLevel = 0;

    [ThreadStatic]
    private static StringBuilder? _messages;

    private readonly BpfObjectHandle _handle;

    private BpfObject(BpfObjectHandle handle)
    {
        _handle = handle;
    }

    public static string LibraryVersion => Marshal.PtrToStringUTF8(LibBpf.libbpf_version_string()) ?? "";

    /// <summary>Opens the ELF <paramref name="image"/>, lets <paramref name="configure"/> set constants, and loads it.</summary>
    /// <exception cref="BpfException">Rights are missing, or the verifier refused a program; the message ends with its last words.</exception>
    public static BpfObject Load(ReadOnlySpan<byte> image, Action<BpfObject> configure)
    {
        _messages = new StringBuilder();
        LibBpf.libbpf_set_print(&Print);
        BpfObjectHandle handle;
        fixed (byte* bytes = image)
        {
            handle = LibBpf.bpf_object__open_mem(bytes, (nuint)image.Length, options: 0);
        }

        if (handle.IsInvalid)
        {
            throw new BpfException("open the embedded BPF object", Marshal.GetLastPInvokeError(), LastMessages());
        }

        var loaded = new BpfObject(handle);
        try
        {
            configure(loaded);
            var error = LibBpf.bpf_object__load(handle);
            return error < 0 ? throw new BpfException("load the BPF programs", -error, LastMessages()) : loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <exception cref="ArgumentException">The object has no such map.</exception>
    public BpfMap Map(string name)
    {
        var map = LibBpf.bpf_object__find_map_by_name(_handle, name);
        return map == 0 ? throw new ArgumentException($"the BPF object has no map '{name}'", nameof(name)) : new BpfMap(name, map);
    }

    /// <summary>The object's constants (<c>.rodata</c>), to be set before it is loaded.</summary>
    public Span<T> InitialConstants<T>()
        where T : unmanaged
    {
        var values = LibBpf.bpf_map__initial_value(Map(".rodata").Pointer, out var size);
        return new Span<T>(values, (int)(size / (nuint)sizeof(T)));
    }

    /// <summary>Runs <paramref name="program"/> at each overflow of <paramref name="perfEvent"/> and owns the event from now on.</summary>
    public BpfLinkHandle AttachPerfEvent(string program, int perfEvent) =>
        Attached(program, LibBpf.bpf_program__attach_perf_event_opts(Program(program), perfEvent, options: 0));

    /// <summary>Attaches <paramref name="program"/> where its section name says.</summary>
    public BpfLinkHandle Attach(string program) => Attached(program, LibBpf.bpf_program__attach(Program(program)));

    public int ProgramFile(string program) => LibBpf.bpf_program__fd(Program(program));

    public void Dispose() => _handle.Dispose();

    private static BpfLinkHandle Attached(string program, BpfLinkHandle link) =>
        link.IsInvalid ? throw new BpfException($"attach {program}", Marshal.GetLastPInvokeError()) : link;

    private nint Program(string name)
    {
        var program = LibBpf.bpf_object__find_program_by_name(_handle, name);
        return program == 0 ? throw new ArgumentException($"the BPF object has no program '{name}'", nameof(name)) : program;
    }

    private static string? LastMessages()
    {
        const int LinesShown = 3;
        var lines = (_messages?.ToString() ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? null : string.Join("; ", lines.TakeLast(LinesShown));
    }

    /// <summary>libbpf's log goes into the message of the exception that follows, not to the terminal.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, nint arguments)
    {
        const int Longest = 4096;
        const int Most = 64 * 1024;
        if (level > WarningLevel || _messages is not { Length: < Most } messages)
        {
            return 0;
        }

        var buffer = stackalloc byte[Longest];
        var length = Math.Clamp(LibC.vsnprintf(buffer, Longest, format, arguments), 0, Longest - 1);
        messages.Append(Encoding.UTF8.GetString(buffer, length));
        return length;
    }
}
