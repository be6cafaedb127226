using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>How text that people type is compared: by case, accents and blanks nobody is told apart.</summary>
[NoStore]
public sealed class FoldingTests
{
    [Theory]
    [InlineData("José", "jose")]
    [InlineData("Jose\u0301", "jose")]
    [InlineData("  Anna \t  Lena\u00a0Schmidt ", "anna lena schmidt")]
    [InlineData("Straße", "strasse")]
    [InlineData("STRASSE", "strasse")]
    [InlineData("Strauẞ", "strauss")]
    [InlineData("Søren Kierkegård", "soren kierkegard")]
    [InlineData("Łukasz", "lukasz")]
    [InlineData("Đorđe", "dorde")]
    [InlineData("Þór Ðað", "thor dad")]
    [InlineData("Æsir œuvre", "aesir oeuvre")]
    [InlineData("İstanbul IĞDIR ığdır", "istanbul igdir igdir")]
    [InlineData("Nguyễn Thị Hồng", "nguyen thi hong")]
    [InlineData("O’Brien", "o'brien")]
    [InlineData("Anne‑Marie – ltd", "anne-marie - ltd")]
    [InlineData("ＡＢＣ　１２３", "abc 123")]
    [InlineData("ﬁne Ⅳ ²", "fine iv 2")]
    [InlineData("Ελένη Παπαδόπουλος", "ελενη παπαδοπουλοσ")]
    [InlineData("ΠΑΠΑΔΌΠΟΥΛΟΣ", "παπαδοπουλοσ")]
    [InlineData("Фёдор", "федор")]
    [InlineData("أحمد مُحَمَّد", "احمد محمد")]
    [InlineData("שָׁלוֹם", "שלום")]
    [InlineData("soft\u00adhyphen zero\u200bwidth \ufeffmark", "softhyphen zerowidth mark")]
    [InlineData("", "")]
    [InlineData(" \n\t ", "")]
    [InlineData("a\0b", "a b")]
    public void People_find_what_they_mean(string text, string folded) => Assert.Equal(folded, Folding.Fold(text));

    /// <summary>A mark that is a letter to its readers stays: without it, other words would be found.</summary>
    [Theory]
    [InlineData("か", "が")]
    [InlineData("कि", "का")]
    [InlineData("ที่", "ที")]
    [InlineData("가", "각")]
    [InlineData("ann", "anne")]
    [InlineData("a b", "ab")]
    public void Different_words_stay_different(string one, string other) => Assert.NotEqual(Folding.Fold(one), Folding.Fold(other));

    [Fact]
    public void Every_character_folds_once_and_for_all()
    {
        for (var value = 0; value <= 0x10FFFF; value++)
        {
            // Of U+FFFE nothing can be normalized, not even by a test.
            if (!Rune.IsValid(value) || value == 0xFFFE) continue;
            var text = "a" + new Rune(value) + "b";
            var folded = Folding.Fold(text);
            Assert.True(folded == Folding.Fold(folded), $"U+{value:X4} folds to {folded}, which folds to {Folding.Fold(folded)}.");
            Assert.True(folded == Folding.Fold(text.Normalize(NormalizationForm.FormD)) && folded == Folding.Fold(text.Normalize(NormalizationForm.FormC)), $"U+{value:X4} depends on its normal form.");
            // The one mark whose capital is a letter of its own: the iota below a Greek vowel.
            if (value != 0x0345) Assert.True(folded == Folding.Fold(text.ToUpperInvariant()) && folded == Folding.Fold(text.ToLowerInvariant()), $"U+{value:X4} depends on its case.");
        }
    }

    [Fact]
    public void Any_text_folds_and_stays_folded() => Gen.Char.Array[0, 40].Sample(
        chars =>
        {
            // Halves of surrogate pairs too: what comes out of a query string can hold them.
            var folded = Folding.Fold(new(chars));
            return folded == Folding.Fold(folded) && folded == folded.Trim() && !folded.Contains("  ", StringComparison.Ordinal) && folded.IsNormalized();
        },
        iter: 20_000);
}
