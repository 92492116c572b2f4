using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The BPF programs as they are built into this assembly.</summary>
internal static class SamplingPrograms
{
    private const string ObjectName = "sampler.bpf.o";

    /// <summary>Loads them, with buffers for this host. Nothing runs yet.</summary>
    /// <exception cref="BpfException">Rights are missing, the kernel is too old, or memory is short.</exception>
    public static BpfObject Load(SamplingOptions options) => BpfObject.Load(ReadObject(), programs => Configure(programs, options));

    private static byte[] ReadObject()
    {
        using var resource = typeof(SamplingPrograms).Assembly.GetManifestResourceStream(ObjectName)
            ?? throw new InvalidOperationException($"the program was built without {ObjectName}");
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }

    private static void Configure(BpfObject programs, SamplingOptions options)
    {
        programs.InitialConstants<uint>()[0] = PidNamespace.Read();
        var cpus = OnlineCpus.Read().Count;
        programs.Map("stacks").MaxEntries = BufferSizes.Stacks(cpus, options.SampleRate);
        programs.Map("copies").MaxEntries = BufferSizes.Copies(cpus, options.SampleRate);
    }
}
