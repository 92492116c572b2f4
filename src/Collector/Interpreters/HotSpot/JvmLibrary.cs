using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Tells a JVM from other processes.</summary>
internal static class JvmLibrary
{
    /// <summary>Where a process maps code of libjvm.so; null when it is no JVM.</summary>
    public static MappedFile? In(ProcessImage image) =>
        image.Mappings.FirstOrDefault(mapped => mapped.Mapping.Path.EndsWith("/libjvm.so", StringComparison.Ordinal));
}
