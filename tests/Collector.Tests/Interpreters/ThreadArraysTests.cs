using ActorProfiler.Collector.Interpreters;

namespace ActorProfiler.Tests.Interpreters;

/// <summary>On the code of <c>pthread_getspecific</c> in Debian's C libraries for x86-64.</summary>
public class ThreadArraysTests
{
    [Theory]
    [InlineData("glibc 2.31", "83ff1f773b8d473148c1e00464488b1425100000004801d04c8b40084d85c0741689ff488d15a6d60000488b3048c1e7044839343a75394c89c0c30f1f44000081ffff03000077"
        + "3889f989f883e11fc1e80564488b14c5100500004989d04885d274d448c1e104488d040aebab0f1f0048c74008000000004531c0ebba")]
    [InlineData("glibc 2.36", "83ff1f773b89f84883c03148c1e004644803042510000000488b50084885d2745789ff488d0d56af1400488b3048c1e7044839343975394889d0c30f1f44000081ffff0300007730"
        + "89fa89f883e21fc1e80564488b04c5100500004885c0741848c1e2044801d0ebaf0f1f800000000048c740080000000031d2ebbb")]
    [InlineData("glibc 2.41", "83ff1f774b89f84883c03148c1e004644803042510000000488b50084885d2742789ff488d0d56351500488b3048c1e7044839343975094889d0c30f1f44000048c74008000000003"
        + "1d24889d0c3669081ffff03000077f089fa89f883e21fc1e80564488b04c5100500004885c074d848c1e2044801d0eb9f")]
    [InlineData("glibc 2.42", "83ff1f774b89f84883c03148c1e004644803042510000000488b50084885d2742789ff488d0df62d1500488b3048c1e7044839343975094889d0c30f1f44000048c74008000000003"
        + "1d24889d0c3669081ffff03000077f089f8c1e80564488b04c5100500004885c074dd89fa83e21f48c1e2044801d0eb9f")]
    public void Finds_the_first_values_in_the_thread_of_glibc(string library, string code) =>
        Assert.True(Read(code) == new ThreadArrays(0x318, ThreadArrays.GlibcEntry), $"{library}: {Read(code)}");

    [Fact]
    public void Finds_the_pointer_to_the_values_in_the_thread_of_musl() =>
        Assert.Equal(new ThreadArrays(0x80, ThreadArrays.MuslEntry), Read("64488b042500000000488b808000000089ff488b04f8c3"));

    [Theory]
    [InlineData("returns nothing", "31c0c3")]
    [InlineData("the same for each key", "64488b042580000000c3")]
    [InlineData("not of the thread", "488b04fd00100000c3")]
    [InlineData("cut short", "64488b0425")]
    public void Says_that_it_does_not_know_what_other_code_does(string form, string code) => Assert.True(Read(code) is null, form);

    private static ThreadArrays? Read(string code) => ThreadArrays.Read(Convert.FromHexString(code), 0x8ab00);
}
