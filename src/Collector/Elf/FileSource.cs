using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Elf;

/// <summary>A file of another process, read by pread alone.</summary>
/// <remarks>
/// Never mapped: reading a mapped file that someone truncates raises SIGBUS, which would end this process.
/// Owns the handle. After <see cref="Dispose"/> every read returns 0 bytes; that is no error, because the users of a file
/// may outlive the last process that maps it.
/// </remarks>
internal sealed class FileSource(SafeFileHandle handle, long length) : IByteSource, IDisposable
{
    public long Length => length;

    public bool IsClosed => handle.IsClosed;

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || handle.IsClosed)
        {
            return 0;
        }

        try
        {
            return RandomAccess.Read(handle, buffer, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return 0; // a bad disk, a stale network file or a close in between: the caller sees a file that ends here
        }
    }

    public void Dispose() => handle.Dispose();
}
