using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>B11: the one way in which addresses are compared.</summary>
[NoStore]
public sealed class EmailAddressTests
{
    private static readonly Gen<string> Text = Gen.OneOf("a", "B", "@", "@", ".", "É", "e\u0301", "ß", "ẞ", "İ", "ı", "σ", "ς", "Σ", "Å", "\u212b", "ﬁ", "ö", "日本", "😀", " ", "\t", "\u00a0", "xn--", "-", "+", "\u200b", "K")
        .Array[1, 8].Select(string.Concat);

    [Theory]
    [InlineData("sarah@example.com", "sarah@example.com")]
    [InlineData(" Sarah@Example.COM\n", "sarah@example.com")]
    [InlineData("sarah+shop@example.com", "sarah+shop@example.com")]
    [InlineData("s.a.r.a.h@example.com", "s.a.r.a.h@example.com")]
    [InlineData("sarah@localhost", "sarah@localhost")]
    [InlineData("JOSÉ@example.com", "josé@example.com")]
    [InlineData("jose\u0301@example.com", "josé@example.com")]
    [InlineData("\u212bsa@example.com", "åsa@example.com")]
    [InlineData("ΝΙΚΟΣ@example.com", "νικοσ@example.com")]
    [InlineData("νικος@example.com", "νικοσ@example.com")]
    [InlineData("sarah@bücher.example", "sarah@xn--bcher-kva.example")]
    [InlineData("sarah@BÜCHER.example", "sarah@xn--bcher-kva.example")]
    [InlineData("sarah@例え.jp", "sarah@xn--r8jz45g.jp")]
    public void One_address_has_one_form(string text, string expected)
    {
        Assert.True(EmailAddress.TryNormalize(text, out var normalized));
        Assert.Equal(expected, normalized);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sarah")]
    [InlineData("@")]
    [InlineData("@example.com")]
    [InlineData("sarah@")]
    [InlineData("sarah@@example.com")]
    [InlineData("a@b@example.com")]
    [InlineData("sarah jane@example.com")]
    [InlineData("sarah@exam ple.com")]
    [InlineData("sarah@exam\u00a0ple.com")]
    [InlineData("Sarah <sarah@example.com>, bob@example.com")]
    public void What_is_no_address_names_nobody(string text) => Assert.False(EmailAddress.TryNormalize(text, out _));

    [Fact]
    public void Two_hundred_and_fifty_four_characters_are_the_most()
    {
        Assert.True(EmailAddress.TryNormalize(new string('a', 254 - 12) + "@example.com", out _));
        Assert.False(EmailAddress.TryNormalize(new string('a', 254 - 11) + "@example.com", out _));
        Assert.True(EmailAddress.TryNormalize(new string(' ', 300) + "sarah@example.com", out _));
    }

    /// <summary>A normal form is its own normal form: else one person would be two, by way of what is shown.</summary>
    [Fact]
    public void Normalizing_twice_is_normalizing_once() => Text.Sample(
        text => !EmailAddress.TryNormalize(text, out var once) || (EmailAddress.TryNormalize(once, out var twice) && once == twice),
        iter: 50_000);

    [Fact]
    public void Case_white_space_and_composition_make_no_other_person() => Text.Where(text => !text.Contains('İ') && !text.Contains('ı')).Sample(
        text => !EmailAddress.TryNormalize(text, out var plain)
            || (EmailAddress.TryNormalize($" {text.ToUpperInvariant()} ", out var upper) && upper == plain
                && EmailAddress.TryNormalize(text.Normalize(System.Text.NormalizationForm.FormD), out var decomposed) && decomposed == plain),
        iter: 50_000);
}
