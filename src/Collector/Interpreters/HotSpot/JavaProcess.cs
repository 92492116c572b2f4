using System.Collections.Concurrent;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>The code of one JVM that samples have shown.</summary>
/// <param name="library">libjvm.so as the process maps it.</param>
/// <param name="unread">Counts a JVM that does not describe itself, by reason.</param>
internal sealed class JavaProcess(ProcessIdentity identity, MappedFile library, ConcurrentDictionary<string, long> unread)
    : SeenPlaces<JavaCode>(identity)
{
    private static readonly JavaCall _interpreter = new(new JavaMethod("Interpreter", ""), Line: 0);

    private HotSpotMethodLayout? _layout;
    private HotSpotMethods? _methods;
    private HotSpotScopes? _scopes;
    private volatile bool _isEnabled;
    private volatile bool _isUnreadable;

    /// <summary>Whether names are wanted.</summary>
    public bool IsEnabled
    {
        get => _isEnabled;
        set
        {
            if (_isEnabled != value)
            {
                _isEnabled = value;
                Change();
            }
        }
    }

    /// <summary>It does not say where its names are.</summary>
    public bool IsUnreadable => _isUnreadable;

    /// <summary>The method of a frame that the interpreter runs.</summary>
    /// <param name="address">Of its description.</param>
    public JavaCode FindMethod(ulong address, long round) => Find(address, round, () => new JavaCode(address, isMethod: true));

    public override bool TryBegin() => _isEnabled && !_isUnreadable && base.TryBegin();

    protected override JavaCode Make(ulong address) => new(address, isMethod: false);

    protected override bool MayChange(JavaCode place) => place.Calls is not { Length: > 0 };

    protected override void Read(IByteSource? memory, ConcurrentQueue<JavaCode> wanted)
    {
        if (memory is not null)
        {
            ReadLayout(memory);
        }

        while (wanted.TryDequeue(out var place))
        {
            if (memory is not null && Read(memory, place) is { Length: > 0 } calls)
            {
                place.Calls = calls;
                Change();
            }
        }
    }

    private void ReadLayout(IByteSource memory)
    {
        if (_layout is not null || _isUnreadable)
        {
            return;
        }

        try
        {
            _layout = HotSpotMethodLayout.Read(library, memory);
            _methods = new HotSpotMethods(_layout);
            _scopes = new HotSpotScopes(_layout, _methods);
        }
        catch (FormatException)
        {
            _isUnreadable = true;
            unread.AddOrUpdate("jvm_names", 1, (_, before) => before + 1);
        }
    }

    private JavaCall[]? Read(IByteSource memory, JavaCode place) =>
        place.IsMethod ? _methods is null ? null : [_methods.Read(memory, place.Address) ?? _interpreter] : _scopes?.Find(memory, place.Address);
}
