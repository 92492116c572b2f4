namespace ActorProfiler.Tests.Interpreters.V8;

public class V8HeapTests
{
    private readonly FakeV8 _v8 = new();

    [Fact]
    public void Reads_strings_of_every_form()
    {
        var flat = _v8.Text("hello");
        var wide = _v8.Text("żółw", isOneByte: false);

        Assert.Equal("hello", _v8.Heap.Text(flat, 100));
        Assert.Equal("żółw", _v8.Heap.Text(wide, 100));
        Assert.Equal("hellożółw", _v8.Heap.Text(_v8.Cons(flat, wide, 9), 100));
        Assert.Equal("hello", _v8.Heap.Text(_v8.Thin(flat, 5), 100));
        Assert.Equal("ell", _v8.Heap.Text(_v8.Sliced(flat, 1, 3), 100));
        Assert.Equal("ółw", _v8.Heap.Text(_v8.Sliced(_v8.Thin(wide, 4), 1, 3), 100));
        Assert.Equal("outside", _v8.Heap.Text(_v8.External("outside"), 100));
    }

    [Fact]
    public void Cuts_a_string_at_the_limit()
    {
        var part = _v8.Text("0123456789");

        Assert.Equal("01234", _v8.Heap.Text(part, 5));
        Assert.Equal("012345678901", _v8.Heap.Text(_v8.Cons(part, part, 20), 12));
    }

    [Fact]
    public void Gives_up_on_strings_that_hold_themselves()
    {
        var cons = _v8.Cons(0, _v8.Text(""), 10);
        _v8.Set(cons, 2, cons);
        var thin = _v8.Thin(0, 10);
        _v8.Set(thin, 2, thin);

        Assert.Null(_v8.Heap.Text(cons, 100));
        Assert.Null(_v8.Heap.Text(thin, 100));
        Assert.Null(_v8.Heap.Flatten(cons));
    }

    [Fact]
    public void Does_not_read_what_is_no_string()
    {
        var lying = _v8.Text("short");
        _v8.Set(lying, 1, (ulong)int.MaxValue << 32);

        Assert.Null(_v8.Heap.Text(lying, int.MaxValue / 4)); // says to be longer than memory is
        Assert.Null(_v8.Heap.Text(_v8.Undefined, 100));
        Assert.Null(_v8.Heap.Text(FakeV8.Small(7), 100));
        Assert.Null(_v8.Heap.Text(0xffff_ffff_ffff_fff1, 100));
        Assert.Null(_v8.Heap.Text(0x1, 100));
        Assert.Null(_v8.Heap.Text(_v8.Sliced(_v8.Text("parent"), -1, 3), 100));
    }
}
