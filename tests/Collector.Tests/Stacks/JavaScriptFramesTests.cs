using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Stacks;

public class JavaScriptFramesTests
{
    private static readonly Module _node = new("/usr/bin/node", "", 0, ulong.MaxValue, 0);

    [Fact]
    public void Puts_a_function_in_the_place_of_generated_code_and_of_the_interpreter() =>
        Assert.Equal(
            ["leaf", "middle", "main", "Builtins_JSEntry"],
            Merge([null, "Builtins_AddHandler", "Builtins_InterpreterEntryTrampoline", "Builtins_JSEntry"], (0, "leaf"), (1, "middle"), (2, "main")));

    [Fact]
    public void Keeps_code_of_V8_that_runs_in_the_frame_of_its_caller() =>
        Assert.Equal(["Builtins_LoadIC", "reads", "main"], Merge(["Builtins_LoadIC", null], (0, "reads"), (1, "main")));

    [Fact]
    public void Drops_the_interpreter_where_it_has_a_frame_beside_that_of_its_function() =>
        Assert.Equal(
            ["getter", "main", "Builtins_CallHandler"],
            Merge([null, "Builtins_GetNamedPropertyHandler", "Builtins_InterpreterEntryTrampoline", "Builtins_CallHandler"], (0, "getter"), (2, "main")));

    [Fact]
    public void Leaves_functions_of_V8_itself_their_native_name() =>
        Assert.Equal(["callback", "Builtins_ArrayMap", "main"], Merge([null, "Builtins_ArrayMap", null], (0, "callback"), (1, "*map"), (2, "main")));

    [Fact]
    public void Leaves_the_native_frame_where_a_name_is_not_known() =>
        Assert.Equal(["[anon]", "main"], Merge([null, null], (0, null), (1, "main")));

    [Fact]
    public void Believes_a_register_where_a_function_is_entered_but_not_in_other_code_of_V8()
    {
        var function = Function("called");
        var (generated, builtin) = (new List<Location> { Native(null) }, new List<Location> { Native("Builtins_CallFunction") });
        var entered = new V8Frame(0, function, IsEntered: true);

        new JavaScriptFrames().Merge(generated, 0, [entered], _ => false);
        new JavaScriptFrames().Merge(builtin, 0, [entered], _ => true);

        Assert.Equal("called", Assert.Single(generated).Lines[0].Function.Name);
        Assert.Equal("Builtins_CallFunction", Assert.Single(builtin).Lines[0].Function.Name);
    }

    [Fact]
    public void Gives_the_same_location_for_the_same_function()
    {
        var function = Function("twice");
        var frames = new List<Location> { Native(null), Native(null) };

        new JavaScriptFrames().Merge(frames, 0, [new V8Frame(0, function), new V8Frame(1, function)], _ => false);

        Assert.Same(frames[0], frames[1]);
        Assert.Equal(("/app.js", 7), (frames[0].Lines[0].Function.File, frames[0].Lines[0].Number));
    }

    /// <param name="natives">Symbols of node, or null for generated code.</param>
    /// <param name="functions">With a star: of V8 itself.</param>
    private static IEnumerable<string> Merge(string?[] natives, params (int Index, string? Name)[] functions)
    {
        var kernel = Native("entry_SYSCALL_64");
        var frames = new List<Location> { kernel };
        frames.AddRange(natives.Select(Native));

        new JavaScriptFrames().Merge(frames, 1, [.. functions.Select(function => new V8Frame(function.Index, Function(function.Name)))], i => natives[i] is not null);

        Assert.Same(kernel, frames[0]);
        return frames.Skip(1).Select(frame => frame.Lines[0].Function.Name);
    }

    private static V8Function Function(string? name) => new(0x1001)
    {
        Name = name is null ? null : new V8Name(name.TrimStart('*'), "/app.js", 7, IsBuiltin: name.StartsWith('*')),
    };

    private static Location Native(string? name) => name is null
        ? Unknown.Named("[anon]") : new Location(_node, 1, [new Line(new Function(name, name), 0)], IsSymbolized: true);
}
