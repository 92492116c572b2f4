using ActorProfiler.Collector.Interpreters.V8;

namespace ActorProfiler.Tests.Interpreters.V8;

public class V8MetadataTests
{
    [Fact]
    public void Finds_where_things_are_by_the_constants_that_V8_exports()
    {
        var old = V8Metadata.From(new V8Constants(FakeV8.Constants()), out var reason);

        Assert.Equal("", reason);
        Assert.Equal(new V8Layout(FrameContext: -8, FrameFunction: -16, FunctionShared: 23, ObjectMap: -1, MapType: 11, SharedType: 262), old!.Frames);
        Assert.Equal(new V8Shared(NameOrScope: 15, Script: 31, TokenDistance: 43), old.Shared);
    }

    [Fact]
    public void Finds_them_under_the_names_of_later_versions()
    {
        var later = V8Metadata.From(new V8Constants(FakeV8.Constants(isNew: true)), out _)!;

        Assert.Equal(31, later.Frames.FunctionShared);
        Assert.Equal(new V8Shared(NameOrScope: 23, Script: 39, TokenDistance: 51), later.Shared);
    }

    [Theory]
    [InlineData("class_JSFunction__shared__SharedFunctionInfo")]
    [InlineData("type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE")]
    [InlineData("off_fp_function")]
    [InlineData("scopeinfo_idx_first_vars")]
    public void Says_that_a_version_is_not_known_when_a_constant_is_missing(string name)
    {
        var constants = FakeV8.Constants();
        Assert.True(constants.Remove(name));

        Assert.Null(V8Metadata.From(new V8Constants(constants), out var reason));
        Assert.Equal("v8_version", reason);
    }

    [Theory]
    [InlineData("class_String__length__int32_t", -4)]
    [InlineData("class_String__length__int32_t", 1 << 20)]
    [InlineData("off_fp_function", 1 << 20)]
    [InlineData("type_Script__SCRIPT_TYPE", 1 << 20)]
    [InlineData("scopeinfo_idx_ncontextlocals", 7)]
    public void Does_not_believe_every_value(string name, int value)
    {
        var constants = FakeV8.Constants();
        constants[name] = value;

        Assert.Null(V8Metadata.From(new V8Constants(constants), out var reason));
        Assert.Equal("v8_version", reason);
    }

    [Theory]
    [InlineData("TaggedSize", 4)]
    [InlineData("SmiShiftSize", 0)]
    public void Says_so_of_compressed_pointers(string name, int value)
    {
        var constants = FakeV8.Constants();
        constants[name] = value;

        Assert.Null(V8Metadata.From(new V8Constants(constants), out var reason));
        Assert.Equal("v8_compressed_pointers", reason);
    }
}
