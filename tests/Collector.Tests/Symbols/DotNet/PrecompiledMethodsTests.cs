using ActorProfiler.Collector.Symbols.DotNet;

namespace ActorProfiler.Tests.Symbols.DotNet;

/// <summary>On the runtime's own core library, which is precompiled.</summary>
public class PrecompiledMethodsTests
{
    private static readonly byte[] _image = File.ReadAllBytes(typeof(object).Assembly.Location);

    [Fact]
    public void Names_nearly_all_precompiled_functions()
    {
        var methods = PrecompiledMethods.Read(_image)!;

        var names = methods.Starts.ToArray().Select(start => methods.Find(start)?.Name).ToList();

        Assert.True(names.Count > 20_000, $"{names.Count} functions");
        Assert.True(names.Count(name => name is not null) > names.Count * 0.8, $"{names.Count(name => name is null)} of {names.Count} functions have no name");
        Assert.Contains("System.Threading.Thread::StartCallback[PreJIT]", names);
        Assert.Contains("System.String::Concat[PreJIT]", names);
    }

    [Fact]
    public void Finds_the_function_the_runtime_calls()
    {
        var method = typeof(Math).GetMethod(nameof(Math.BigMul), [typeof(int), typeof(int)])!;
        var methods = PrecompiledMethods.Read(_image)!;

        var found = methods.Starts.ToArray().Where(start => methods.Find(start)?.Name == $"System.Math::{method.Name}[PreJIT]");

        Assert.InRange(found.Count(), 1, 20);
        Assert.All(found, start => Assert.Equal(start, methods.Find(start + 1)!.Value.Start));
    }

    [Fact]
    public void Has_nothing_where_no_function_is()
    {
        var methods = PrecompiledMethods.Read(_image)!;

        Assert.Null(methods.Find(0));
        Assert.Null(methods.Find(uint.MaxValue));
        Assert.Null(methods.AddressOfOffset(ulong.MaxValue));
    }

    [Fact]
    public void Refuses_what_is_no_image() => Assert.Throws<FormatException>(() => PrecompiledMethods.Read("MZ no image"u8.ToArray()));

    [Fact]
    public void Survives_damaged_images()
    {
        var image = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Collections.Specialized.dll"));
        Assert.NotNull(PrecompiledMethods.Read(image));
        Mutations.Try(image, damaged => PrecompiledMethods.Read(damaged)?.Find(0x1000), rounds: 200);
    }
}
