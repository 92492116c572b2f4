using ActorProfiler.Aggregator.LocalStore;

namespace ActorProfiler.Tests.LocalStore;

public sealed class ProfileMergeTests
{
    [Fact]
    public void Merging_a_profile_with_itself_doubles_its_values_and_nothing_else()
    {
        var merge = new ProfileMerge();
        merge.Add(FoldedProfile.Of("app!main;lib!a 1", "app!main;lib!b 2"));
        merge.Add(FoldedProfile.Of("app!main;lib!b 2", "app!main;lib!a 1"));

        var merged = merge.Build();

        Assert.Equal([2L, 4L], merged.Sample.Select(sample => sample.Value[0]).Order());
        Assert.Equal((3, 3, 2), (merged.Location.Count, merged.Function.Count, merged.Mapping.Count));
        Assert.Equal(FoldedProfile.Period, merged.Period);
    }

    [Fact]
    public void Sums_up_the_smallest_stacks_past_the_limit_and_says_so_in_a_comment()
    {
        var merge = new ProfileMerge(sampleLimit: 2);
        merge.Add(FoldedProfile.Of("a 5", "b 4", "c 2", "d 1"));

        var merged = merge.Build();

        Assert.Equal([5L, 4L, 3L], merged.Sample.Select(sample => sample.Value[0]));
        Assert.Contains("2 of the smallest stacks", merged.StringTable[(int)merged.Comment.Single()]);
    }

    [Fact]
    public void Keeps_stacks_with_different_labels_apart()
    {
        var profile = FoldedProfile.Of("a 1", "a 2");
        profile.StringTable.Add("pid");
        profile.Sample[0].Label.Add(new Pprof.Label { Key = profile.StringTable.Count - 1, Num = 7 });
        var merge = new ProfileMerge();
        merge.Add(profile);

        Assert.Equal(2, merge.Build().Sample.Count);
    }

    [Fact]
    public void Refuses_profiles_with_other_value_types()
    {
        var other = FoldedProfile.Of("a 1");
        other.SampleType.RemoveAt(0);
        var merge = new ProfileMerge();
        merge.Add(FoldedProfile.Of("a 1"));

        Assert.Throws<FormatException>(() => merge.Add(other));
    }
}
