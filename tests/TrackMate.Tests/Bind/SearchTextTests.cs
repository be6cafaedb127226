using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>How a text is found by words, and the index that leads from one to the other.</summary>
[NoStore]
public sealed class SearchTextTests
{
    private static readonly Gen<string> Word = Gen.OneOf(
        Gen.String[Gen.Char["abcé.@-ßÄŁ1"], 1, 6],
        Gen.String[Gen.Char["王伟김철수さくら"], 1, 3],
        Gen.OneOf("José", "Łukasz", "o'neil", "ﬁona", "İpek", "ΟΔΥΣΣΕΥΣ", "Nguyễn", "🎉🎉", "שרה", "user+tag@example.com"));

    [Theory]
    [InlineData("jose@example.com", "Jose\u0301", "jos\u00e9")]
    [InlineData("a@example.com", "José García", "garcia jose")]
    [InlineData("a@example.com", "Straße", "strasse")]
    [InlineData("a@example.com", "Strasse", "straße")]
    [InlineData("a@example.com", "İpek Işık", "ipek ışik")]
    [InlineData("a@example.com", "ﬁona", "FIONA")]
    [InlineData("a@example.com", "Ｓａｒａｈ", "sarah")]
    [InlineData("a@example.com", "Οδυσσεύς", "ΟΔΥΣΣΕΥΣ")]
    [InlineData("a@example.com", "party 🎉🎉🎉", "🎉🎉🎉")]
    [InlineData("a@example.com", "\u200fשרה כהן", "כהן שרה")]
    [InlineData("a@example.com", "Nguyễn Văn Đạt", "dat nguyen van")]
    [InlineData("a@example.com", "김철수", "\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e")]
    [InlineData("ann@example.com", "Ann  Lee", "  lee   ann ")]
    [InlineData("ann@example.com", null, "ANN@EXAMPLE")]
    public void A_person_is_found_however_the_name_is_typed(string value, string? name, string query)
    {
        Assert.True(SearchText.HasAll(SearchText.Of(value, name), SearchText.WordsOf(query)), $"{SearchText.Of(value, name)} has not {string.Join('|', SearchText.WordsOf(query))}");
    }

    [Fact]
    public void Whoever_has_a_word_has_all_of_its_grams() =>
        Gen.Select(Word.Array[1, 4], Gen.Int[0, 40], Gen.Int[1, 12]).Sample((words, start, length) =>
        {
            var text = SearchText.Of(words[0], string.Join(' ', words.Skip(1)));
            if (text.Length == 0) return;
            var part = text.Substring(start % text.Length, Math.Min(length, text.Length - (start % text.Length)));
            foreach (var word in part.Split(' ', StringSplitOptions.RemoveEmptyEntries)) Assert.Subset(SearchText.GramsOf(text), SearchText.GramsOf(word));
        });

    [Theory]
    [InlineData("ab", 0)]
    [InlineData("abc", 1)]
    [InlineData("ab c", 0)]
    [InlineData("王伟", 1)]
    public void Three_characters_are_searched_by_the_index_and_two_of_scripts_with_short_names(string word, int grams)
    {
        Assert.Equal(grams, SearchText.GramsOf(word).Count);
    }

    [Fact]
    public void A_text_and_a_query_of_any_length_are_bounded()
    {
        Assert.InRange(SearchText.Of("a@example.com", new string('ß', 30_000)).Length, 100, 600);
        Assert.InRange(SearchText.WordsOf(string.Join(' ', Enumerable.Range(0, 3000))).Count, 1, 16);
        Assert.Equal(["anna"], SearchText.WordsOf("ann anna nn"));
    }
}
