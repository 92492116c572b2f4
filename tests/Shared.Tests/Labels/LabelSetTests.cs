using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Labels;

public class LabelSetTests
{
    [Fact]
    public void Is_the_same_set_in_any_order()
    {
        var one = LabelSet.Of(("b", "2"), ("a", "1"));
        var other = LabelSet.Of(("a", "1"), ("b", "2"));

        Assert.Equal(one, other);
        Assert.Equal(one.Hash, other.Hash);
        Assert.Equal("{a=\"1\", b=\"2\"}", one.ToString());
    }

    [Fact]
    public void Leaves_out_empty_values_and_lets_the_last_of_a_name_win()
    {
        var labels = LabelSet.Of(("a", "1"), ("b", ""), ("a", "2"));

        Assert.Equal(LabelSet.Of(("a", "2")), labels);
        Assert.Equal("", labels["b"]);
        Assert.False(labels.Contains("b"));
    }

    [Fact]
    public void Tells_names_from_values_in_the_hash() =>
        Assert.NotEqual(LabelSet.Of(("ab", "c")).Hash, LabelSet.Of(("a", "bc")).Hash);

    [Fact]
    public void Has_the_same_hash_on_every_host() =>
        Assert.Equal(12984912142838150635ul, LabelSet.Of(("service_name", "web")).Hash);

    [Fact]
    public void Setting_an_empty_value_removes_the_label() =>
        Assert.Equal(LabelSet.Empty, LabelSet.Of(("a", "1")).With("a", ""));
}
