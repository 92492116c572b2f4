namespace ActorProfiler.Collector.Unwinding;

/// <summary>Reading a file's frame entries takes more than it may; its other entries are not tried either.</summary>
internal sealed class FrameBudgetException(string message) : FormatException(message);
