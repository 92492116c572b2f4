using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Elf.Native;

/// <summary>Calls of the C library that .NET does not wrap, under their own names.</summary>
internal static unsafe partial class LibC
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int CreateNew = 0x40 | 0x80; // O_CREAT | O_EXCL
    public const int NonBlocking = 0x800;
    public const int Folder = 0x10000;
    public const int NoFollow = 0x20000;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;
    public const ulong ResolveNoMagicLinks = 0x02;
    public const ulong ResolveInRoot = 0x10;
    public const long OpenAt2Number = 437;
    public const int CurrentFolder = -100;
    public const int EmptyPath = 0x1000;
    public const uint BasicStats = 0x7ff;

    public const int NoEntry = 2;
    public const int NoProcess = 3;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int NotPermitted = 1;
    public const int ProcessFileLimit = 24;
    public const int SystemFileLimit = 23;
    public const int NotAFolder = 20;

    /// <summary><c>struct open_how</c>. Source: openat2(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>The start of <c>struct statx</c>, which is 256 bytes. Source: statx(2).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct Statx
    {
        [FieldOffset(20)] public uint Owner;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    /// <summary>The start of <c>struct statfs</c> on 64-bit Linux, which is 120 bytes. Source: statfs(2).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    public struct StatFs
    {
        [FieldOffset(0)] public long Type;
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int openat(int folder, byte* name, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unlinkat(int folder, byte* name, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial long syscall(long number, int folder, byte* path, OpenHow* how, nuint size);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int statx(int folder, byte* path, int flags, uint mask, Statx* result);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstatfs(int file, StatFs* result);
}
