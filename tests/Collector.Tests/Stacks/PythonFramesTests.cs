using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Stacks;

public class PythonFramesTests
{
    private const string Loop = "_PyEval_EvalFrameDefault";
    private static readonly PythonFrame _shim = new(null, IsEntry: true, IsShim: true);

    [Fact]
    public void Puts_the_frames_of_each_call_of_the_loop_in_its_place() =>
        Assert.Equal(
            ["add", "inner", "key", "sorted", "outer", "main"],
            Merge(["add", Loop, "sorted", $"{Loop}.cold", "main"], [Frame("inner"), Frame("key"), _shim, Frame("outer"), _shim]));

    [Fact]
    public void Keeps_frames_that_no_call_stands_for_at_the_outer_end() =>
        Assert.Equal(["add", "inner", "outer"], Merge(["add", Loop], [Frame("inner"), _shim, Frame("outer"), _shim]));

    [Fact]
    public void Shows_a_function_before_which_there_is_a_trampoline_once() =>
        Assert.Equal(
            ["add", "inner", "outer", "main"],
            Merge(["add", Loop, "py::inner:/a.py", Loop, "py::outer:/a.py", "main"], [Frame("inner"), _shim, Frame("outer"), _shim]));

    [Fact]
    public void Leaves_the_stack_as_it_is_where_there_is_no_python() =>
        Assert.Equal(["add", Loop, "py::f:/a.py", "main"], Merge(["add", Loop, "py::f:/a.py", "main"], []));

    private static IEnumerable<string> Merge(string[] native, PythonFrame[] python)
    {
        List<Location> frames = [.. native.Select(Native)];
        new PythonFrames().Merge(frames, first: 0, python);
        return frames.Select(frame => frame.Lines[^1].Function.Name);
    }

    private static PythonFrame Frame(string name) => new(new PythonFunction(name, "a.py", 1), IsEntry: false, IsShim: false);

    private static Location Native(string name) => new(Module: null, Address: 0, [new Line(new Function(name, name), Number: 0)], IsSymbolized: true);
}
