using ActorProfiler.Collector.Interpreters.V8;

namespace ActorProfiler.Tests.Interpreters.V8;

public class V8FunctionReaderTests
{
    private const string Source = "'use strict';\nlet a;\nfunction second() {}\n";

    private readonly FakeV8 _v8 = new();

    [Fact]
    public void Names_a_function_with_its_file_and_line()
    {
        var script = _v8.Script(_v8.Text("/app/main.js"), _v8.Text(Source));
        var start = Source.IndexOf("() {}", StringComparison.Ordinal);
        var scope = _v8.Scope(0, _v8.Text("second"), FakeV8.Small(-1), _v8.Undefined, FakeV8.Small(start), FakeV8.Small(start + 5), _v8.Scope(0));

        Assert.Equal(new V8Name("second", "/app/main.js", 3, IsBuiltin: false), Read(_v8.Shared(scope, script, "function second".Length)));
    }

    [Fact]
    public void Finds_the_line_in_the_table_that_V8_has_made()
    {
        var ends = _v8.Allocate(FakeV8.ArrayType, FakeV8.Small(4), FakeV8.Small(10), FakeV8.Small(20), FakeV8.Small(30), FakeV8.Small(40));
        var script = _v8.Script(_v8.Text("/a.js"), _v8.Undefined, ends);

        Assert.Equal([1, 1, 2, 3, 4], new[] { 0, 10, 11, 30, 31 }.Select(position => Read(_v8.Shared(Scope(position), script))!.Line));
    }

    [Fact]
    public void Counts_lines_of_wide_and_external_sources()
    {
        var wide = _v8.Script(_v8.Text("/w.js"), _v8.Text("ż\nó\nł", isOneByte: false));
        var external = _v8.Script(_v8.Text("/e.js"), _v8.External("a\nb\nc"));

        Assert.Equal(3, Read(_v8.Shared(Scope(4), wide))!.Line);
        Assert.Equal(2, Read(_v8.Shared(Scope(2), external))!.Line);
    }

    [Fact]
    public void Shows_the_inferred_name_where_there_is_no_other_and_anonymous_where_there_is_none()
    {
        var script = _v8.Script(_v8.Text("/a.js"), _v8.Text(Source));
        var inferred = _v8.Scope(0, _v8.Text(""), FakeV8.Small(-1), _v8.Text("Module.load"), FakeV8.Small(3), FakeV8.Small(9), _v8.Scope(0));
        var anonymous = _v8.Scope(0, _v8.Text(""), FakeV8.Small(-1), _v8.Undefined, FakeV8.Small(3), FakeV8.Small(9));

        Assert.Equal("Module.load", Read(_v8.Shared(inferred, script))!.Text);
        Assert.Equal("(anonymous)", Read(_v8.Shared(anonymous, script))!.Text);
        Assert.Equal("(anonymous)", Read(_v8.Shared(0, script))!.Text);
    }

    [Fact]
    public void Passes_over_local_variables_inside_the_scope_and_in_a_table_of_their_own()
    {
        var script = _v8.Script(_v8.Text("/a.js"), _v8.Text(Source));
        ulong[] tail = [_v8.Text("named"), FakeV8.Small(-1), _v8.Undefined, FakeV8.Small(3), FakeV8.Small(9)];
        var inside = _v8.Scope(2, [_v8.Text("x"), _v8.Text("y"), FakeV8.Small(64), FakeV8.Small(64), .. tail]);
        var module = _v8.Scope(1, [FakeV8.Small(1), _v8.Text("x"), FakeV8.Small(64), .. tail]);
        var many = _v8.Scope(100, [_v8.Allocate(FakeV8.ArrayType, FakeV8.Small(0)), .. Enumerable.Repeat(FakeV8.Small(64), 100), .. tail]);

        foreach (var scope in new[] { inside, module, many })
        {
            Assert.Equal(new V8Name("named", "/a.js", 1, IsBuiltin: false), Read(_v8.Shared(scope, script)));
        }
    }

    [Fact]
    public void Reads_the_scopes_of_later_versions_where_positions_come_first()
    {
        var v8 = new FakeV8(isNew: true);
        var script = v8.Script(v8.Text("file:///app/my%20mod.mjs"), v8.Text(Source));
        var scope = v8.Scope(0, FakeV8.Small(15), FakeV8.Small(30), v8.Text("later"), FakeV8.Small(-1), v8.Undefined);
        var reader = new V8FunctionReader(v8.Metadata);
        var shared = v8.Shared(scope, script);

        Assert.Equal(new V8Name("later", "/app/my mod.mjs", 2, IsBuiltin: false), reader.Read(v8.Heap, shared, reader.Look(v8.Heap, shared)));
    }

    [Fact]
    public void Knows_functions_of_V8_itself_by_their_want_of_a_script() =>
        Assert.Equal(new V8Name("map", "", 0, IsBuiltin: true), Read(_v8.Shared(_v8.Text("map"), _v8.Undefined)));

    [Fact]
    public void Finds_no_function_where_another_object_is_now()
    {
        Assert.Null(Read(_v8.Text("SharedFunctionInfo")));
        Assert.Null(Read(0x7fff_0000_0001));
        Assert.Null(Read(FakeV8.Small(1)));
    }

    [Fact]
    public void Survives_a_heap_that_lies()
    {
        var script = _v8.Script(_v8.Text("/a.js"), _v8.Text(Source), _v8.Allocate(FakeV8.ArrayType, FakeV8.Small(int.MaxValue)));
        var locals = _v8.Scope(int.MaxValue);
        var past = _v8.Scope(0, _v8.Text("f"), FakeV8.Small(-1), _v8.Undefined, FakeV8.Small(int.MaxValue - 1), FakeV8.Small(int.MaxValue), _v8.Scope(0));

        Assert.Null(Read(_v8.Shared(locals, script)));
        Assert.Equal(0, Read(_v8.Shared(past, script))!.Line);
        Assert.Equal(0, Read(_v8.Shared(past, _v8.Script(_v8.Undefined, _v8.Text(Source))))!.Line);
    }

    private V8Name? Read(ulong shared)
    {
        var reader = new V8FunctionReader(_v8.Metadata);
        return reader.Look(_v8.Heap, shared) is var words && words == default ? null : reader.Read(_v8.Heap, shared, words);
    }

    private ulong Scope(int start) => _v8.Scope(0, _v8.Text("f"), FakeV8.Small(-1), _v8.Undefined, FakeV8.Small(start), FakeV8.Small(start + 1), _v8.Scope(0));
}
