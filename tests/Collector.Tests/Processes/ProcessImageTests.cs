using System.Runtime.InteropServices;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Tests.Processes;

public class ProcessImageTests
{
    private static readonly int _self = Environment.ProcessId;

    private static ProcessIdentity Self() => new(_self, ProcFiles.StartTime(_self)!.Value, 0);

    [Fact]
    public void Finds_the_c_library_of_this_process_with_its_build_id()
    {
        using var files = new ElfFiles();
        var getpid = (ulong)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "getpid");

        var mapped = ProcessImage.Read(Self(), files)!.Find(getpid)!;

        Assert.NotNull(mapped.File);
        Assert.EndsWith("libc.so.6", mapped.File.Path, StringComparison.Ordinal);
        Assert.NotEmpty(mapped.File.BuildId);
        Assert.True(mapped.File.IsCode(mapped.ToFileAddress(getpid)));
    }

    [Fact]
    public void Opens_each_file_once_and_closes_it_when_unused()
    {
        using var files = new ElfFiles();
        var first = ProcessImage.Read(Self(), files)!;
        var second = ProcessImage.Read(Self(), files)!;
        var file = first.Files.First(one => one.Path != "[vdso]");
        Assert.Contains(file, second.Files);

        files.Release(first.Files);
        files.Release(second.Files);
        for (var round = 0; round < ElfFiles.IdleRounds; round++)
        {
            files.EndRound();
        }

        Assert.False(file.IsClosed);
        files.EndRound();
        Assert.True(file.IsClosed);
        Assert.Equal(0, files.Count);
    }

    [Fact]
    public void Is_null_for_another_process_with_the_same_pid()
    {
        using var files = new ElfFiles();

        Assert.Null(ProcessImage.Read(Self() with { StartTime = 10_000_000 }, files));
        Assert.Null(ProcessImage.Read(new ProcessIdentity(int.MaxValue, 1, 0), files));
    }

    [Fact]
    public void Knows_the_vdso()
    {
        using var files = new ElfFiles();

        Assert.Contains(ProcessImage.Read(Self(), files)!.Mappings, mapped => mapped.Mapping.Path == "[vdso]" && mapped.File is not null);
    }

    [Fact]
    public void Reads_a_file_that_was_deleted_while_it_runs()
    {
        Requirements.Bpf(); // map_files needs CAP_CHECKPOINT_RESTORE
        var copy = Path.Combine(Path.GetTempPath(), "deleted-" + Guid.NewGuid());
        File.Copy("/bin/sleep", copy);
        using var sleep = System.Diagnostics.Process.Start(copy, "60");
        File.Delete(copy);
        using var files = new ElfFiles();

        var image = ProcessImage.Read(new ProcessIdentity(sleep.Id, ProcFiles.StartTime(sleep.Id)!.Value, 0), files)!;
        sleep.Kill();

        var program = Assert.Single(image.Mappings, mapped => mapped.Mapping.Path.Contains("deleted-", StringComparison.Ordinal));
        Assert.NotNull(program.File);
    }
}
