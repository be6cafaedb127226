using TrackMate.Bind;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Bind;

/// <summary>Which identifiers look like one person's.</summary>
[NoStore]
public sealed class LikenessTests
{
    private static readonly Dictionary<string, string> Nothing = [];

    [Theory]
    [InlineData("sarah.jones@gmail.com", "sarahjones@gmail.com")]
    [InlineData("sarahjones+news@gmail.com", "sarahjones@gmail.com")]
    [InlineData("sarahjones@googlemail.com", "s.a.r.a.h.jones+x@gmail.com")]
    [InlineData("sarah+shop@example.com", "sarah@example.com")]
    [InlineData("sarah-shop@yahoo.com", "sarah@yahoo.com")]
    [InlineData("sarah@me.com", "sarah@icloud.com")]
    [InlineData("sarah@mac.com", "sarah+a@icloud.com")]
    [InlineData("s.arah-j@protonmail.com", "sarahj@proton.me")]
    [InlineData("sarah.j@ya.ru", "sarah-j@yandex.com")]
    [InlineData("sarah+x@outlook.com", "sarah@outlook.com")]
    public void Two_spellings_of_a_mailbox_are_one(string one, string other)
    {
        Assert.Equal(Likeness.MailboxOf(other), Likeness.MailboxOf(one));
    }

    [Theory]
    [InlineData("sarah.jones@example.com", "sarahjones@example.com")]
    [InlineData("sarah@outlook.com", "sarah@hotmail.com")]
    [InlineData("sarah-shop@example.com", "sarah@example.com")]
    [InlineData("+news@gmail.com", "+other@gmail.com")]
    [InlineData("...@gmail.com", "..@gmail.com")]
    [InlineData("-a@yahoo.com", "-b@yahoo.com")]
    public void Two_mailboxes_are_two(string one, string other)
    {
        Assert.NotEqual(Likeness.MailboxOf(other), Likeness.MailboxOf(one));
    }

    [Fact]
    public void An_external_id_is_like_one_in_another_case_and_like_the_email_that_it_is()
    {
        Assert.Equal(Likeness.Of(IdentifierKind.External, "ab 42", Nothing), Likeness.Of(IdentifierKind.External, "AB42 ", Nothing));
        Assert.Equal(Likeness.Of(IdentifierKind.Email, "ann@gmail.com", Nothing), Likeness.Of(IdentifierKind.External, "A.nn@Gmail.com", Nothing));
        Assert.Empty(Likeness.Of(IdentifierKind.External, "ab42", Nothing).Intersect(Likeness.Of(IdentifierKind.External, "ab43", Nothing)));
    }

    [Theory]
    [InlineData("phone", "\"+49 (0)170 1234567\"", "\"+49 0170/123 45 67\"")]
    [InlineData("birthday", "\"1990-02-03\"", "\" 1990-02-03\"")]
    [InlineData("address", """{"street":"Hauptstraße 1","city":"Köln"}""", """{"city":"koln","street":"Hauptstrasse 1"}""")]
    [InlineData("zip", "10115", "\"10115\"")]
    public void One_name_and_one_telling_trait_are_alike_and_either_alone_is_not(string trait, string value, string again)
    {
        IReadOnlyCollection<Likeness> Of(string email, string name, string json) => Likeness.Of(IdentifierKind.Email, email, new Dictionary<string, string> { ["name"] = $"\"{name}\"", [trait] = json });

        Assert.Single(Of("a@example.com", "José", value).Intersect(Of("b@example.org", "jose", again)));
        Assert.Empty(Of("a@example.com", "José", value).Intersect(Of("b@example.org", "Maria", again)));
        Assert.Empty(Of("a@example.com", "José", value).Intersect(Of("b@example.org", "jose", "\"something else 99\"")));
    }

    [Theory]
    [InlineData("12")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("\"\"")]
    public void What_tells_nothing_makes_nobody_alike(string json)
    {
        Assert.Single(Likeness.Of(IdentifierKind.External, "id-1", new Dictionary<string, string> { ["name"] = "\"Ann\"", ["phone"] = json }));
        Assert.Single(Likeness.Of(IdentifierKind.External, "id-1", new Dictionary<string, string> { ["name"] = json, ["phone"] = "\"0123456789\"" }));
    }
}
