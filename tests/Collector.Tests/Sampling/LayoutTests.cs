using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Tests.Sampling;

/// <summary>Compares the C# mirrors of the BPF programs' records with the type information (BTF) of the object they were compiled to.</summary>
public class LayoutTests
{
    public static TheoryData<string, Type> Mirrors => new()
    {
        { "stack_record", typeof(StackRecord) },
        { "stack_copy", typeof(StackCopyRecord) },
        { "process_event", typeof(ProcessEvent) },
        { "process", typeof(ProcessEntry) },
        { "settings", typeof(Settings) },
        { "tally", typeof(Tally) },
        { "unwind_rule", typeof(UnwindRule) },
        { "mapping", typeof(MappingRow) },
        { "python", typeof(PythonLayout) },
        { "python_code", typeof(PythonCode) },
        { "python_name", typeof(PythonName) },
        { "v8", typeof(V8Layout) },
        { "executable", typeof(ExecutableTables.Entry) },
    };

    [Theory]
    [MemberData(nameof(Mirrors))]
    public void Mirrors_the_kernel_side_byte_for_byte(string name, Type mirror)
    {
        Requirements.Tool("bpftool", "bpftool");
        var type = Types().Single(type => Text(type, "kind") == "STRUCT" && Text(type, "name") == name);
        var members = type.GetProperty("members").EnumerateArray().ToList();
        var fields = mirror.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

        Assert.Equal(type.GetProperty("size").GetInt32(), Marshal.SizeOf(mirror));
        Assert.Equal(members.Count, fields.Length);
        foreach (var (member, field) in members.Zip(fields))
        {
            Assert.Equal(member.GetProperty("bits_offset").GetInt32() / 8, (int)Marshal.OffsetOf(mirror, field.Name));
        }
    }

    [Fact]
    public void Has_a_name_for_every_drop_reason() =>
        Assert.Equal(DropReasons.KernelCount, DropReasons.Kernel.Length);

    private static string? Text(JsonElement type, string property) =>
        type.TryGetProperty(property, out var value) ? value.GetString() : null;

    private static List<JsonElement> Types()
    {
        var path = Path.GetTempFileName();
        using (var file = File.Create(path))
        using (var resource = typeof(SamplingSession).Assembly.GetManifestResourceStream("sampler.bpf.o")!)
        {
            resource.CopyTo(file);
        }

        using var bpftool = Process.Start(new ProcessStartInfo(Requirements.FindOnPath("bpftool")!, ["btf", "dump", "file", path, "-j"])
        {
            RedirectStandardOutput = true,
        })!;
        var json = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        File.Delete(path);
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("types").EnumerateArray()];
    }
}
