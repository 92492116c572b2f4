using System.Buffers.Binary;
using System.Text;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

internal enum ProcessChange
{
    /// <summary>Of no interest, such as the name of a thread.</summary>
    None,
    Started,
    Executed,
    Mapped,
    Ended,

    /// <summary>The kernel had no room for records.</summary>
    Lost,
}

/// <summary>What the kernel tells of a process's life, at the moment it happens.</summary>
/// <param name="Time">CLOCK_MONOTONIC, ns, as bpf_ktime_get_ns() gives it.</param>
/// <param name="Parent">Of <see cref="ProcessChange.Started"/>.</param>
/// <param name="Mapping">Of <see cref="ProcessChange.Mapped"/>.</param>
internal readonly record struct ProcessRecord(ProcessChange Change, int Pid, ulong Time, int Parent, MemoryMapping Mapping)
{
    private const uint TypeLost = 2;
    private const uint TypeComm = 3;
    private const uint TypeExit = 4;
    private const uint TypeFork = 7;
    private const uint TypeMmap2 = 10;
    private const ushort CommExec = 1 << 13;
    private const int TimeBytes = 8;
    private const int PathOffset = 72;

    /// <summary>Reads a record of <see cref="Native.PerfEvent.OpenProcessRecords"/>. Source: linux/perf_event.h, enum perf_event_type.</summary>
    /// <exception cref="FormatException">It is shorter than its type is.</exception>
    public static ProcessRecord Parse(ReadOnlySpan<byte> bytes)
    {
        var (type, misc) = (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]));
        var least = type switch { TypeMmap2 => PathOffset + TimeBytes, TypeFork or TypeExit => 40, TypeLost => 32, TypeComm => 24, _ => 16 };
        if (bytes.Length < least)
        {
            throw new FormatException($"perf record of type {type} has {bytes.Length} bytes: expected at least {least}");
        }

        var (pid, second) = (Word(bytes, 8), Word(bytes, 12));
        var time = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^TimeBytes..]);
        return type switch
        {
            TypeLost => new ProcessRecord(ProcessChange.Lost, 0, time, 0, default),

            // pid, ppid, tid, ptid: a thread's parent is its own process.
            TypeFork when pid != second => new ProcessRecord(ProcessChange.Started, pid, time, second, default),
            TypeExit when pid == Word(bytes, 16) => new ProcessRecord(ProcessChange.Ended, pid, time, 0, default),
            TypeComm when (misc & CommExec) != 0 => new ProcessRecord(ProcessChange.Executed, pid, time, 0, default),
            TypeMmap2 => new ProcessRecord(ProcessChange.Mapped, pid, time, 0, MappingOf(bytes)),
            _ => new ProcessRecord(ProcessChange.None, pid, time, 0, default),
        };
    }

    private static MemoryMapping MappingOf(ReadOnlySpan<byte> bytes)
    {
        var (start, length) = (BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));
        var path = bytes[PathOffset..^TimeBytes];
        var end = path.IndexOf((byte)0);
        var text = Encoding.UTF8.GetString(end < 0 ? path : path[..end]);
        return new MemoryMapping(
            start,
            unchecked(start + length),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            IsExecutable: true,
            (ulong)(uint)Word(bytes, 40) << 32 | (uint)Word(bytes, 44),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
            text == "//anon" ? "" : text);
    }

    private static int Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);
}
