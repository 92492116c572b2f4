using ActorProfiler.Fuzz;

namespace ActorProfiler.Tests;

/// <summary>Inputs on which a parser once failed, in testdata/fuzz/TARGET: they stay tested for good.</summary>
public class FuzzFindingsTests
{
    private static readonly string _folder = Path.Combine(AppContext.BaseDirectory, "testdata/fuzz");

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Reads_or_refuses_every_input_that_once_failed(string target)
    {
        var inputs = Path.Combine(_folder, target) is var folder && Directory.Exists(folder) ? Directory.GetFiles(folder) : [];
        foreach (var input in inputs)
        {
            Assert.True(Record.Exception(() => FuzzTargets.All[target](File.ReadAllBytes(input))) is null or FormatException, input);
        }
    }
}
